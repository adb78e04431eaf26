"""What two callers gain who compare answers, and one who averages: python -m tests.marks.collusion.

Of the digits' images, and of mixtures of two of them, as thieves make where they have few; the
model is a forest.  docs/ownership.md shows what it prints.
"""

from typing import Any, Final

import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

from extproc.draw import Draw, Draws
from extproc.marks.cells import Cells
from extproc.mutators import Mark
from extproc.prediction import Probabilities

RATE: Final = 0.005
_ASKED: Final = 6000
_KEYS: Final = 20
_COPIES: Final = 15


def main() -> None:
    model, images = _model(), _images()
    truth = model.predict_proba(images)
    rows = [_measured(Draw(b"%d" % key), model, images, truth) for key in range(_KEYS)]
    names = (
        "answers that are marks",
        "cells that are marks",
        "marks that differ from another cohort's answer",
        "marks that differ within a cohort",
        f"marks that most of {_COPIES} copies with noise of 1% undo",
        f"marks that most of {_COPIES} copies with noise of 3% undo",
        f"marks that most of {_COPIES} copies with noise of 5% undo",
    )
    for name, found in zip(names, np.mean(rows, axis=0), strict=True):
        print(f"{name:52}{found:9.2%}")


def _model() -> RandomForestClassifier:
    digits = load_digits()
    return RandomForestClassifier(100, random_state=0).fit(digits.data, digits.target)


def _images() -> Any:
    generator, data = np.random.default_rng(0), load_digits().data
    first, second = data[generator.integers(len(data), size=(2, _ASKED))]
    share = generator.beta(0.5, 0.5, (_ASKED, 1))
    return np.rint(share * first + (1 - share) * second)


def _measured(key: Draw, model: RandomForestClassifier, images: Any, truth: Any) -> list[float]:
    cells = Cells(key.child(b"cells"))
    where = [cells.of(row) for row in images.tolist()]
    ours, theirs = key.child(b"cohort ours"), key.child(b"cohort theirs")
    told = _told(ours, where, truth)
    marked = np.flatnonzero(told != truth.argmax(axis=1))
    each = {cell for number, cell in enumerate(where) if number in set(marked.tolist())}
    undone = [
        _undone(ours, cells, model, images[marked], told[marked], noise)
        for noise in (0.01, 0.03, 0.05)
    ]
    return [
        len(marked) / len(images),
        len(each) / len(set(where)),
        float(np.mean(_told(theirs, where, truth)[marked] != told[marked])),
        float(np.mean(_told(ours, where, truth)[marked] != told[marked])),
        *undone,
    ]


def _told(draw: Draw, cells: list[bytes], probabilities: Any) -> Any:
    """The label of each answer to a cohort."""
    mark, found = Mark(rate=RATE), []
    for cell, values in zip(cells, probabilities, strict=True):
        source = Draws(draw, [b""], b"", {0: draw.child(b"cell " + cell)}).of(0)
        served = mark.apply(Probabilities(values), source)
        assert isinstance(served, Probabilities)
        found.append(int(served.values.argmax()))
    return np.array(found)


def _undone(
    draw: Draw, cells: Cells, model: RandomForestClassifier, images: Any, told: Any, noise: float
) -> float:
    """How often what most of the copies say is not what was told."""
    generator, votes = np.random.default_rng(1), []
    for _ in range(_COPIES):
        varied = images + generator.standard_normal(images.shape) * noise * 16
        found = [cells.of(row) for row in varied.tolist()]
        votes.append(_told(draw, found, model.predict_proba(varied)))
    most = [np.bincount(column).argmax() for column in np.array(votes).T]
    return float(np.mean(np.array(most) != told))


if __name__ == "__main__":
    main()

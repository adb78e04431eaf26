"""``python -m tests.ownership.linear``: what a linear copy carries of marks, beneath its labels.

A linear model says no mark again, but each marked answer has drawn its weights a little.  The owner
who has the model's own scores, and gets the suspect's, sees by how much likelier the suspect holds
the next class than the model does, and ranks marks among controls (Wilcoxon, 1945; Mann and
Whitney, 1947).  Which of both is which was drawn by the key, so that the level holds for every
model that has seen no marked answer; the p-values here are of the normal limit.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from scipy import stats

from extproc.ownership import wording
from extproc.ownership.evidence import Cell
from extproc.redteam.answers import Floats, Ints
from extproc.redteam.surrogates import softmax_regression
from extproc.redteam.surrogates.softmax_regression import SoftmaxRegression
from tests.detection.report import pasted
from tests.ownership.theft import Told, scores, told, victim

ASKED: Final = 15_000
KEYS: Final = 3
_ROUNDS: Final = 100
_LEAST: Final = 1e-12


def learnt(theft: Told, labels: Ints) -> dict[str, Floats]:
    """What it is taught, by what it was answered; ``labels`` [N] are theft's own, or the truth."""
    swapped, rows = scores(theft.inputs), np.flatnonzero(labels != theft.truth)
    both = np.stack([theft.truth[rows], labels[rows]], axis=1)
    swapped[rows[:, None], both] = swapped[rows[:, None], both[:, ::-1]]
    third = np.sort(swapped, axis=1)[:, -3, None]
    return {
        "labels": np.eye(swapped.shape[1])[labels],
        "three scores of two digits": np.where(swapped >= third, swapped, 0).round(2),
        "all scores": swapped,
    }


def found(copy: SoftmaxRegression, cells: Sequence[Cell]) -> float:
    """log2 of the p-value that marks are drawn further than controls."""
    marks, controls = (
        _drawn(copy, [cell for cell in cells if cell.stamp == stamp])
        for stamp in ("mark", "control")
    )
    tested = stats.mannwhitneyu(marks, controls, alternative="greater", method="asymptotic")
    return float(np.log2(tested.pvalue))


def _drawn(copy: SoftmaxRegression, cells: Sequence[Cell]) -> Floats:
    """By how much likelier [N] the copy holds the next class, beside the likeliest, than the model
    does, in logarithms.
    """
    entries = [(cell.question, cell.entry) for cell in cells]
    inputs = np.array([question.input for question, _ in entries if question is not None])
    both = np.array([(entry.other, entry.truth) for _, entry in entries if entry is not None])
    own, suspect = (
        np.log(np.clip(said(inputs), _LEAST, 1))[np.arange(len(inputs))[:, None], both]
        for said in (scores, copy.probabilities)
    )
    drawn: Floats = (suspect - own) @ np.array([1.0, -1.0])
    return drawn


def table(asked: int, keys: int) -> Iterator[str]:
    known = victim()
    worst: dict[str, list[tuple[float, float]]] = {}
    for key in range(keys):
        pool = np.random.default_rng([7, *b"%d" % key]).permutation(known.natural)[:asked]
        theft = told("thief", pool, b"%d" % key)
        for labels in (theft.labels, theft.truth):
            for name, targets in learnt(theft, labels).items():
                copy = softmax_regression.fit(pool, targets, known.classes, rounds=_ROUNDS)
                worst.setdefault(name, []).append(
                    (found(copy, theft.cells), float(labels is theft.truth))
                )
    yield "| a softmax regression that was taught | marked | never marked |"
    yield "|---|---:|---:|"
    for name, every in worst.items():
        marked = max(bits for bits, clean in every if not clean)
        clean = min(bits for bits, clean in every if clean)
        yield f"| {name} | {wording.chance(marked)} | {wording.chance(clean)} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.ownership.linear", description=__doc__)
    parser.add_argument("--asked", type=int, default=ASKED, help="by the thief")
    parser.add_argument("--keys", type=int, default=KEYS)
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="paste it there as well")
    asked = parser.parse_args()
    text = "\n".join(table(asked.asked, asked.keys))
    print(text)
    if asked.markdown is not None:
        asked.markdown.write_text(pasted(asked.markdown.read_text(), "linear", text))


if __name__ == "__main__":
    main()

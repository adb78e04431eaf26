"""Laws of Mark."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from extproc.draw import Draw, Draws
from extproc.errors import UpstreamError
from extproc.marks.cells import Cells
from extproc.mutators import Bins, Codebook, LabelOnly, Mutator, Round, TopK, limit, mutate
from extproc.mutators.capacity import whole
from extproc.mutators.mark import Mark
from extproc.prediction import Probabilities, Vector
from tests.mutators.vectors import CONTROL, MARKED, frozen, probabilities, source

RATE = 0.005
CLASSES = frozen([0.1, 0.2, 0.4, 0.3])


def shown(
    values: Vector,
    cell: Draw | None = MARKED,
    names: Sequence[Sequence[Any]] = (),
    mark: Mark | None = None,
    behind: Sequence[Mutator] = (),
) -> Vector:
    drawn = replace(source(), cell=cell, names=names)
    result = mutate([mark or Mark(rate=RATE), *behind], drawn, Probabilities(values))
    assert isinstance(result, Probabilities)
    return result.values


@given(probabilities)
def test_in_a_marked_cell_the_two_likeliest_change_places_and_nothing_else(
    prediction: Probabilities,
) -> None:
    values = prediction.values
    served, order = shown(values), np.argsort(-values, kind="stable")
    assert sorted(served) == sorted(values)
    changed = np.flatnonzero(served != values)
    if values.size > 1 and 0 < values[order[1]] < values[order[0]]:
        assert set(changed) == set(order[:2])
        assert served.argmax() == order[1]
    else:
        assert not changed.size


@pytest.mark.parametrize("cell", [None, CONTROL])
def test_nothing_changes_in_any_other_cell(cell: Draw | None) -> None:
    """Planted: a mutator that marked its controls, too, fails here."""
    assert shown(CLASSES, cell) is CLASSES


@pytest.mark.parametrize(
    "behind",
    [
        [TopK(k=1)],
        [TopK(k=2, other=True), Round(digits=1)],
        [Round(digits=2), TopK(k=3)],
        [Bins(count=2)],
        [Codebook(bits=6)],
        [Round(digits=3), Bins(count=5), LabelOnly()],
    ],
)
@given(prediction=probabilities)
def test_what_stands_behind_it_shows_the_label_it_told(
    behind: Sequence[Mutator], prediction: Probabilities
) -> None:
    if prediction.values.any():
        told = shown(prediction.values).argmax()
        assert shown(prediction.values, behind=behind).argmax() == told


@pytest.mark.parametrize(
    ("protected", "names", "marked"),
    [
        ((), [["a"], ["b"], ["c"], ["d"]], True),
        (("a", "b"), [["a"], ["b"], ["c"], ["d"]], True),
        (("c",), [["a"], ["b"], ["c"], ["d"]], False),  # it is never served instead of another
        (("d",), [["a"], ["b"], ["c"], ["d"]], False),  # nor another instead of it
        (("d",), [["a"], ["b"], ["c"], ["x", "d"]], False),  # by any of its names
        ((0, 1), (), True),
        ((2,), (), False),
        ((3,), (), False),
        (("c",), (), False),  # which class that is, nobody can tell
        ((0,), [["a"], ["b"], ["c"], ["d"]], False),  # they may be sorted by how likely they are
        ((0, "a"), [["a"], ["b"], ["c"], ["d"]], False),
    ],
)
def test_a_protected_class_is_never_one_of_the_two(
    protected: tuple[int | str, ...], names: Sequence[Sequence[Any]], marked: bool
) -> None:
    """Planted: looking at the first class alone, or at numbers in an answer of names, fails."""
    served = shown(CLASSES, names=names, mark=Mark(rate=RATE, protected=protected))
    assert bool(served.argmax() == 3) is marked


@given(st.sampled_from([0.001, 0.002, 0.005]), st.integers(0, 2**32))
def test_no_more_labels_change_than_it_says(rate: float, seed: int) -> None:
    mark, draw = Mark(rate=rate), Draw(b"%d" % seed)
    changed = sum(
        shown(CLASSES, draw.child(b"%d" % number), mark=mark).argmax() == 3 for number in range(400)
    )
    # 400 cells: above this once in ten million times at the highest of the rates.
    assert changed <= 14


def test_of_digits_no_more_labels_change_than_it_says() -> None:
    """All 1,797 images, under eight keys: cells hold several, so that it varies by key."""
    images = [row.tolist() for row in load_digits().data]
    cells = list(map(Cells(Draw(b"k" * 32)).of, images))
    mark, shares = Mark(rate=RATE), []
    for key in range(8):
        draw = Draw(b"cohort %d" % key)
        marked = {
            cell: shown(CLASSES, draw.child(b"cell " + cell), mark=mark).argmax() == 3
            for cell in set(cells)
        }
        shares.append(np.mean([marked[cell] for cell in cells]))
    assert np.mean(shares) <= RATE + 3 * np.std(shares) / math.sqrt(len(shares))
    assert np.mean(shares) >= RATE / 2


def test_it_is_the_cells_and_hangs_on_no_tier_and_no_looks() -> None:
    space = Draw(b"space")
    for tier in (b"standard", b"suspected"):
        for digest in (b"what?", b"WHAT"):
            drawn = Draws(space, [digest], tier, {0: MARKED}).of(0)
            assert drawn.cell == MARKED
            result = mutate([Mark(rate=RATE)], drawn, Probabilities(CLASSES))
            assert isinstance(result, Probabilities)
            assert result.values.argmax() == 3


def test_as_much_can_be_told_as_without_it() -> None:
    assert limit([Mark(rate=RATE)], "probabilities", 10) == whole("probabilities", 10)


def test_what_is_no_probability_is_refused_in_every_cell() -> None:
    for cell in (None, MARKED):
        with pytest.raises(UpstreamError):
            shown(frozen([0.1, 2.0]), cell)

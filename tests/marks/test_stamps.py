"""How many cells are marks and controls, and of whom."""

from collections import Counter

import pytest
from scipy import stats

from extproc.draw import Draw
from extproc.marks.stamps import CONTROLS, name, stamp

DRAW = Draw(b"of a cohort and a model")
ASKED = 25_000
CELLS = [DRAW.child(b"%d" % number) for number in range(ASKED)]


@pytest.mark.parametrize("rate", [0.001, 0.005])
def test_as_many_are_marked_as_it_says_and_several_times_as_many_are_controls(rate: float) -> None:
    found = Counter(stamp(cell, rate) for cell in CELLS)
    for fate, share in (("mark", rate), ("control", CONTROLS * rate)):
        assert 1e-4 < stats.binom.cdf(found[fate], ASKED, share) < 1 - 1e-4  # type: ignore[index]


@pytest.mark.parametrize("fate", ["mark", "control"])
def test_what_it_is_at_one_rate_it_is_at_every_higher_one(fate: str) -> None:
    """Planted: controls that begin where marks end fail here: a tier that marks more would mark
    the controls of another.
    """
    few = {number for number, cell in enumerate(CELLS) if stamp(cell, 0.001) == fate}
    many = {number for number, cell in enumerate(CELLS) if stamp(cell, 0.005) == fate}
    assert few < many


def test_names_tell_cells_apart_and_say_nothing_of_their_fate() -> None:
    """Planted: names that are the key by which cells are stamped fail here."""
    assert len({name(cell) for cell in CELLS[:2000]}) == 2000
    for cell in CELLS[:100]:
        assert name(cell)[:16] not in {cell.key.hex()[:16], cell.child(b"mark").key.hex()[:16]}

import numpy as np
import pytest

from extproc.cohorts.affinity import INCOHERENCE, learnt
from extproc.cohorts.excess import LEVELS
from extproc.cohorts.knowledge import COVERAGE, Knowledge
from extproc.cohorts.usual import CHECKPOINTS, Usual
from extproc.detectors.profile import Layout
from tests.cohorts.made_up import BASE, CELLS, Counted


def test_the_cells_are_those_of_coverage() -> None:
    layout = Layout([Counted("novelty", 3), Counted("coverage", CELLS + 2)])
    counters = np.arange(layout.size, dtype=np.float32)
    assert Knowledge(layout, BASE, 7.0).cells(counters).tolist() == list(range(3, 3 + CELLS))


def test_where_nobody_counts_coverage_there_are_no_cells() -> None:
    layout = Layout([Counted("novelty")])
    assert Knowledge(layout, BASE, 7.0).cells(np.zeros(1, np.float32)).size == 0


def test_callers_are_compared_by_what_they_ask_together_where_a_class_knows_it() -> None:
    topics = [np.array([2, 2, 0, 0], np.float32), np.array([0, 0, 2, 2], np.float32)] * 50
    rows = {INCOHERENCE: (tuple(map(float, range(len(LEVELS)))),) * len(CHECKPOINTS)}
    usual = {"user": Usual(rows, learnt(topics)), "other": Usual({})}
    layout = Layout([Counted(COVERAGE, 4)])
    known = Knowledge(layout, np.full(4, 0.25), 7.0, usual)
    one, two = np.array([1, 1, 0, 0], np.float32), np.array([1, 0, 1, 0], np.float32)
    assert known.fresh("user", one, 2)[INCOHERENCE] < 0 < known.fresh("user", two, 2)[INCOHERENCE]
    assert known.fresh("user", two * np.float32(0.5), 2) == known.fresh("user", two, 2), (
        "however long ago"
    )
    assert set(known.fresh("other", two, 2)) == {COVERAGE}


def test_what_callers_are_compared_by_must_be_known() -> None:
    with pytest.raises(ValueError, match="what is learnt"):
        Usual({INCOHERENCE: (tuple(map(float, range(len(LEVELS)))),) * len(CHECKPOINTS)})

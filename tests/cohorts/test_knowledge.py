import numpy as np

from extproc.cohorts.knowledge import Knowledge
from extproc.detectors.profile import Layout
from tests.cohorts.made_up import BASE, CELLS, Counted


def test_the_cells_are_those_of_coverage() -> None:
    layout = Layout([Counted("novelty", 3), Counted("coverage", CELLS + 2)])
    counters = np.arange(layout.size, dtype=np.float32)
    assert Knowledge(layout, BASE, 7.0).cells(counters).tolist() == list(range(3, 3 + CELLS))


def test_where_nobody_counts_coverage_there_are_no_cells() -> None:
    layout = Layout([Counted("novelty")])
    assert Knowledge(layout, BASE, 7.0).cells(np.zeros(1, np.float32)).size == 0

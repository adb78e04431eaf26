import numpy as np

from extproc.cohorts import timing
from extproc.cohorts.link import AGAINST


def test_the_same_rare_hours_weigh_and_alone_they_never_link() -> None:
    told = timing.evidence(np.array([40.0, 4.0]), np.array([1.0, 3.0]))
    assert told[0] == timing.MOST < AGAINST
    assert told[1] < 0.1


def test_a_run_of_adjacent_quarters_counts_as_one() -> None:
    [told] = timing.evidence(np.array([timing.RUN]), np.array([timing.RUN / 2]))
    assert told < 0.3

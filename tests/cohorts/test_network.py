import numpy as np

from extproc.cohorts import network
from extproc.cohorts.link import AGAINST, LINKED, weight


def test_the_rarer_the_block_the_more_it_weighs_and_alone_it_never_links() -> None:
    told = network.evidence(np.array([0.0, 1.0, 2.0, 50.0]))
    assert told.tolist() == [0.0, 1.0, 2.0, network.MOST]
    assert weight(told - AGAINST).max() < LINKED / 5

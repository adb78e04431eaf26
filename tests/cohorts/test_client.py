import numpy as np

from extproc.cohorts import client
from extproc.cohorts.link import AGAINST, LINKED, weight


def test_the_rarer_the_looks_the_more_they_weigh_and_alone_they_never_link() -> None:
    told = client.evidence(np.array([0.0, 1.0, 2.0, 50.0]))
    assert told.tolist() == [0.0, 1.0, 2.0, client.MOST]
    assert weight(told - AGAINST).max() < LINKED / 5

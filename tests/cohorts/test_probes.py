import numpy as np

from extproc.cohorts import probes
from extproc.cohorts.link import AGAINST


def test_one_shared_input_never_links_unless_next_to_nobody_asks_it() -> None:
    [told] = probes.evidence(np.array([1.0]), np.array([18 * 1 / 10_000]))
    assert told < AGAINST


def test_many_shared_inputs_that_few_ask_link() -> None:
    [told] = probes.evidence(np.array([8.0]), np.array([0.1]))
    assert told > AGAINST


def test_what_those_of_one_interest_share_says_nothing() -> None:
    assert probes.evidence(np.array([5.0]), np.array([1.0])).tolist() == [0.0]


def test_popular_inputs_say_nothing() -> None:
    assert probes.evidence(np.array([18.0]), np.array([4.0])).tolist() == [0.0]

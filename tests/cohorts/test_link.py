import numpy as np

from extproc.cohorts import client, complement, network, probes, timing
from extproc.cohorts.link import AGAINST, LINKED, weight


def test_no_kind_but_shared_inputs_reaches_an_even_chance_by_itself() -> None:
    assert max(network.MOST, client.MOST, timing.MOST, complement.MOST) < AGAINST < probes.MOST


def test_address_and_client_together_do_not_link() -> None:
    assert not weight(np.array([network.MOST + client.MOST - AGAINST])) > LINKED


def test_even_odds_weigh_a_half() -> None:
    assert np.allclose(weight(np.array([-np.inf, 0.0, np.log(3)])), [0.0, 0.5, 0.75])

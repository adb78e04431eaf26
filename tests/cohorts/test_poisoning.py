"""What an attacker can do to a victim: link himself to it, and behave badly."""

import numpy as np
import pytest

from extproc.cohorts.knowledge import Knowledge
from extproc.cohorts.lift import MARGIN
from extproc.cohorts.linker import Linker
from extproc.cohorts.usual import CHECKPOINTS, usual
from extproc.detectors.detector import Counters
from extproc.detectors.profile import Layout
from tests.cohorts.made_up import BASE, KEY, START, Counted, life, observation, rebuilt, some

USUAL = usual({"novelty": [[each / 100 - 9.5 for each in range(1000)]] * len(CHECKPOINTS)})
KNOWN = Knowledge(Layout([Counted("novelty")]), BASE, 7.0, {"user": USUAL})
HOME, BROWSER, *OTHERS = some(51, 3000)
SYBILS = 5
"""More of them make what they share common, and the link weaker."""


def attacked(own: float, network: bool = True, client: bool = True, probes: bool = True) -> float:
    """How far a victim is lifted, of so much evidence of its own, by sybils that imitate it."""
    linker, secrets = Linker(KNOWN, KEY, 4096), some(61, 12)
    counters: dict[str, Counters] = {}
    for number in range(300):
        seen = observation(START + 900 * (number % 400), OTHERS[number], OTHERS[1000 + number])
        linker.observe(seen, f"s{number}", some(700 + number, 5))
    for name in ["victim", *(f"a{number}" for number in range(SYBILS))]:
        mine = name == "victim"
        seen = observation(
            START + 4500,
            HOME if network or mine else OTHERS[2000 + len(counters)],
            BROWSER if client or mine else OTHERS[2500 + len(counters)],
        )
        asked = secrets if probes or mine else some(3000 + len(counters), 12)
        linker.observe(seen, name, asked)
        nats = own if mine else 50.0
        counters[name] = np.array([nats], np.float32)
        linker.count(seen, name, "", "user", life(8, {"novelty": nats}))
    rebuilt(linker, counters)
    assert (linker.lift("a1") > 0.8) is (probes or (network and client))
    return linker.lift("victim")


@pytest.mark.parametrize("own", [-20.0, -1.0, 0.5, MARGIN])
def test_a_victim_that_is_imitated_in_all_is_lifted_to_a_half_at_most(own: float) -> None:
    assert attacked(own) <= 0.5


def test_a_victim_that_behaves_as_benign_callers_do_is_hardly_lifted() -> None:
    assert attacked(-1.0) < 0.05
    assert attacked(0.0) < 0.13


def test_one_address_alone_does_not_make_a_victim_suspicious() -> None:
    assert attacked(MARGIN, client=False, probes=False) < 0.05
    assert attacked(MARGIN, network=False, probes=False) < 0.05


def test_inputs_of_the_victim_asked_again_link_and_still_blame_nobody() -> None:
    linked = attacked(MARGIN, network=False, client=False)
    assert 0.4 < linked <= 0.5

"""Private training, played against: no run proves more than is claimed, and planted faults do."""

from dataclasses import replace

import pytest

from extproc.demo.server.models.dp_accountant import epsilon
from extproc.demo.server.models.dp_sgd import Recipe
from tests.demo.server.models.dp_game import proven

DELTA = 1e-5
CLAIMED = Recipe(rate=1.0, steps=4, noise=4.0, learning_rate=0.1)
RUNS = 600


def test_what_is_proven_is_no_more_than_what_is_claimed_and_no_nothing() -> None:
    assert 0 < proven(CLAIMED, RUNS, DELTA) <= epsilon(CLAIMED, DELTA)


@pytest.mark.parametrize(
    ("fault", "trained"),
    [
        ("no noise", replace(CLAIMED, noise=0.0)),
        ("noise of an eighth of its scale", replace(CLAIMED, noise=CLAIMED.noise / 8)),
        ("no clipping, and the noise of a clip of 1", replace(CLAIMED, clip=50.0, noise=0.08)),
    ],
)
def test_a_fault_of_training_is_seen(fault: str, trained: Recipe) -> None:
    assert proven(trained, RUNS, DELTA) > epsilon(CLAIMED, DELTA), fault


def test_a_claim_for_another_sampling_rate_is_seen() -> None:
    trained = replace(CLAIMED, noise=2.0)
    assert proven(trained, RUNS, DELTA) > epsilon(replace(trained, rate=0.1), DELTA)

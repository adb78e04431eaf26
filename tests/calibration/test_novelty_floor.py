"""The floor of novelty: the strictest by which benign lives stay low."""

import numpy as np
import pytest

from extproc.calibration.interval import needed
from extproc.calibration.novelty_floor import FLOORS, Profiles, strictest
from extproc.calibration.thresholds import top
from extproc.detectors.novelty import Novelty


def _lives(exponent: float, many: int, seed: int = 1) -> list[Profiles]:
    """Whose p-values are of the law Beta(exponent, 1): 1 is uniform, less is novel."""
    surprises = np.random.default_rng(seed).exponential(1 / exponent, (many, 60)).cumsum(axis=1)
    numbers = np.broadcast_to(np.arange(1, 61), surprises.shape)
    return list(np.stack([numbers, surprises], axis=2).astype(np.float32))


def _top(lives: list[Profiles], floor: float) -> float:
    return top(np.array([max(map(Novelty(floor).evidence, life)) for life in lives]))


@pytest.mark.parametrize("exponent", [0.95, 0.8, 0.65])
def test_it_is_the_strictest_by_which_lives_stay_low(exponent: float) -> None:
    lives = _lives(exponent, 300)
    found = FLOORS.index(strictest(lives))
    assert _top(lives, FLOORS[found]) <= np.log(300)
    assert found == 0 or _top(lives, FLOORS[found - 1]) > np.log(300)


def test_topics_that_are_harder_make_it_milder() -> None:
    floors = [strictest(_lives(exponent, 300)) for exponent in (1.0, 0.8, 0.6)]
    assert floors == sorted(floors, reverse=True)
    assert floors[0] > floors[2]


def test_where_none_is_low_the_mildest_is_taken() -> None:
    assert strictest(_lives(0.2, 100)) == FLOORS[-1]


def test_of_many_lives_more_is_allowed_up_to_what_a_claim_needs() -> None:
    lives = _lives(1.0, 10)
    lives[0] = lives[0] + np.array([0, 9.0], np.float32)
    assert strictest(lives) < strictest([*lives[1:]] * (needed() // 9 + 1))

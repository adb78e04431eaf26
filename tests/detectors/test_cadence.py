"""When requests come: programs that never sleep, timers, and retries."""

import math

import numpy as np
import pytest

from extproc.detectors.cadence import Cadence
from tests.detectors.scenes import (
    DAY,
    MONDAY,
    does_not_depend_on_order,
    evidence,
    exchange,
    says_nothing_of_nobody,
)


def at(times: object, limited: float = 0.0) -> float:
    times = np.asarray(times, float)
    cut = int(len(times) * limited)
    return evidence(
        Cadence(),
        [
            *(exchange(MONDAY + each, "limited") for each in times[:cut]),
            *(exchange(MONDAY + each) for each in times[cut:]),
        ],
    )


def working_day(count: int, rng: np.random.Generator) -> list[float]:
    """Bursts between eight and six."""
    starts = rng.uniform(8, 18, 1 + count // 6) * 3600
    return [float(rng.choice(starts) + rng.exponential(200)) for _ in range(count)]


def test_neither_order_nor_replicas_nor_decay_change_it() -> None:
    does_not_depend_on_order(Cadence(), np.random.default_rng(0))


def test_nothing_is_said_of_nobody() -> None:
    says_nothing_of_nobody(Cadence())


@pytest.mark.parametrize("count", [300, 3000])
def test_who_never_sleeps_is_noticed_and_who_works_by_day_is_not(count: int) -> None:
    rng = np.random.default_rng(count)
    for _ in range(5):
        assert 2.0 < at(rng.uniform(0, DAY, count)) <= 4.0
        assert at(working_day(count, rng)) < 0.0


def test_a_timer_is_more_even_than_chance() -> None:
    rng = np.random.default_rng(3)
    chance, timer = at(rng.uniform(0, DAY, 4000)), at(np.arange(4000) * DAY / 4000)
    assert timer > chance + 0.5


def test_who_does_not_wait_while_it_is_limited_is_noticed_and_who_is_seldom_is_not() -> None:
    rng = np.random.default_rng(4)
    assert at(working_day(60, rng), limited=0.7) > 2.0
    assert at(working_day(60, rng), limited=0.05) < 0.0


def test_all_of_it_together_says_little() -> None:
    assert at(np.arange(20_000) * DAY / 20_000, limited=0.6) <= 4.0


def test_a_few_requests_say_nothing() -> None:
    assert at([0.0] * 7, limited=1.0) == -math.inf

"""Exact limits of a rate, against the law of which they are the limits, and as published."""

import math
from itertools import product

import numpy as np
import pytest

from extproc.calibration.interval import ERROR, RATE, allowed, highest, lowest, needed


def at_most(count: int, trials: int, rate: float) -> float:
    """The chance of so much or less, added up as it is defined."""
    return math.fsum(
        math.comb(trials, each) * rate**each * (1 - rate) ** (trials - each)
        for each in range(count + 1)
    )


@pytest.mark.parametrize(("happened", "trials"), [(0, 5), (1, 5), (4, 5), (3, 40), (0, 300)])
def test_at_a_limit_what_was_seen_is_as_unlikely_as_it_may_be(happened: int, trials: int) -> None:
    assert at_most(happened, trials, highest(happened, trials)) == pytest.approx(ERROR)
    if happened:
        more = 1 - at_most(happened - 1, trials, lowest(happened, trials))
        assert more == pytest.approx(ERROR)


def test_what_is_published_of_them() -> None:
    """Clopper and Pearson's own chart, and Hanley's rule of three, have these at 95 %."""
    assert highest(0, 10) == pytest.approx(1 - 0.05**0.1)
    assert highest(1, 10) == pytest.approx(0.3942, abs=5e-5)
    assert lowest(1, 10) == pytest.approx(0.0051, abs=5e-5)
    assert lowest(10, 10) == pytest.approx(0.05**0.1)
    assert needed() == 2995


def test_a_limit_is_above_the_rate_in_nineteen_of_twenty_repetitions_at_least() -> None:
    """Whatever the rate: the exact chance that it is, summed over all that may happen."""
    for trials, rate in product((5, 30), (0.001, 0.02, 0.4)):
        chances = [
            at_most(n, trials, rate) - (at_most(n - 1, trials, rate) if n else 0)
            for n in range(trials + 1)
        ]
        over = math.fsum(c for n, c in enumerate(chances) if highest(n, trials) >= rate - 1e-12)
        under = math.fsum(c for n, c in enumerate(chances) if lowest(n, trials) <= rate + 1e-12)
        assert min(over, under) >= 1 - ERROR - 1e-9


def test_nothing_is_known_where_nothing_was_tried() -> None:
    assert (lowest(0, 0), highest(0, 0)) == (0.0, 1.0)
    assert highest(7, 7) == 1.0
    assert lowest(0, 7) == 0.0


def test_how_many_may_happen() -> None:
    assert allowed(needed() - 1) == -1
    assert allowed(needed()) == 0
    for trials in (5_000, 10_000):
        most = allowed(trials)
        assert highest(most, trials) <= RATE < highest(most + 1, trials)


def test_the_limits_close_in_on_the_rate() -> None:
    widths = np.array([highest(n // 10, n) - lowest(n // 10, n) for n in (10, 100, 1000, 10_000)])
    assert (np.diff(widths) < 0).all()
    assert widths[-1] < 0.011

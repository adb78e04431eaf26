"""How much is asked: a sudden campaign, and weeks like any other."""

import math

import numpy as np
import pytest

from extproc.detectors.detector import Counters
from extproc.detectors.profile import Decay
from extproc.detectors.volume import Volume
from tests.detectors.scenes import (
    DAY,
    MONDAY,
    counted,
    does_not_depend_on_order,
    evidence,
    exchange,
    says_nothing_of_nobody,
)

DECAY = Decay(604_800.0)


def lived(days: list[float]) -> Counters:
    """So many queries each day from eight to six, counted and decayed as a profile is."""
    volume = Volume()
    counters = np.zeros(volume.size, np.float32)
    for number, queries in enumerate(days):
        for hour in range(8, 18):
            time = MONDAY + number * DAY + hour * 3600.0
            volume.count(counters, exchange(time, queries=round(queries / 10)), 1.0)
        counters *= np.float32(DECAY.factor(DAY))
    return counters


def week(rng: np.random.Generator, usual: float) -> list[float]:
    """Busy days, of which none is like another, and quiet ones."""
    return [usual * rng.gamma(2.0) / 2.0 * (0.2 if day > 4 else 1.0) for day in range(7)]


def test_neither_order_nor_replicas_nor_decay_change_it() -> None:
    does_not_depend_on_order(Volume(), np.random.default_rng(0))


def test_nothing_is_said_of_nobody() -> None:
    says_nothing_of_nobody(Volume())


@pytest.mark.parametrize("usual", [50.0, 1000.0])
def test_a_campaign_of_thirty_times_as_much_is_noticed_and_weeks_like_any_are_not(
    usual: float,
) -> None:
    rng = np.random.default_rng(int(usual))
    volume = Volume()
    for _ in range(10):
        days = [each for _ in range(5) for each in week(rng, usual)]
        before = [volume.evidence(lived(days[:until])) for until in (7, 14, 28, 35)]
        assert max(before) < 2.0
        assert volume.evidence(lived([*days, 30.0 * usual])) > 2.0


def test_who_has_no_history_is_told_nothing_about() -> None:
    assert evidence(Volume(), [exchange(MONDAY, queries=100_000)]) == -math.inf
    assert Volume().evidence(lived([10.0] * 5)) == -math.inf
    assert Volume().evidence(lived([10.0] * 6)) < 0.0


def test_a_busy_monday_after_busy_mondays_is_foretold() -> None:
    mondays = [[2700.0, *[60.0] * 6]] * 4
    habit = [*(each for known in mondays for each in known), 900.0]
    sudden = [*[60.0] * 28, 2700.0]
    volume = Volume()
    assert volume.evidence(lived(habit)) < volume.evidence(lived(sudden)) - 4.0


def test_it_counts_all_queries_where_only_a_sample_is_known() -> None:
    assert counted(Volume(), [exchange(queries=1000, simhashes=[1, 2])]).sum() == 2000.0

"""Forecasts: what they may say, whatever was spent, and what they say of each kind of limit."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.accounts.forecast import EXHAUSTED, LASTS, NONE, Outlook, forecast, outlook
from extproc.limits import SECOND, Calendar, Concurrency, Periods, Rate, Rule, Sliding, Standing

HOUR = 3600 * SECOND
DAY = 24 * HOUR
NOON = round(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()) * SECOND

amounts = st.integers(-(10**12), 10**12)
times = st.integers(0, 400 * DAY)


def standing(spent: int, left: int, age: int = 0) -> Standing:
    return Standing("r", "", spent, left, HOUR, age)


@given(amounts, amounts, times, times)
def test_nothing_ends_in_the_past_nor_behind_the_period(
    spent: int, left: int, elapsed: int, length: int
) -> None:
    found = forecast(spent, left, elapsed, length)
    assert (found.state == "exhausted") is (left <= 0)
    if found.state == "ends":
        assert 0 < found.after <= length - elapsed
    else:
        assert found.after == 0


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.integers(1, DAY), st.integers(0, DAY))
def test_what_ends_is_used_up_then_at_the_same_pace_and_not_before(
    spent: int, left: int, elapsed: int, rest: int
) -> None:
    found = forecast(spent, left, elapsed, elapsed + rest)
    if found.state == "ends":
        assert spent * found.after >= left * elapsed
        assert spent * (found.after - 1) < left * elapsed
    else:
        assert found == LASTS
        assert spent * rest < left * elapsed


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.integers(1, DAY), st.integers(1, 10**9))
def test_whoever_has_spent_more_is_done_no_later(
    spent: int, left: int, elapsed: int, more: int
) -> None:
    before = forecast(spent, left, elapsed, 2 * DAY)
    after = forecast(spent + more, left - more, elapsed, 2 * DAY)
    if before.state == "ends":
        assert after.state == "exhausted" or after.after <= before.after


def test_a_day_that_is_half_over_ends_when_the_other_half_is_spent_too() -> None:
    day = Calendar("daily/day", 100, Periods("day"))
    assert outlook(day, standing(60, 40), NOON) == Outlook("ends", 8 * HOUR)
    assert outlook(day, standing(50, 50), NOON) == Outlook("ends", 12 * HOUR)
    assert outlook(day, standing(49, 51), NOON) == LASTS
    assert outlook(day, standing(100, 0), NOON) == EXHAUSTED
    assert outlook(day, standing(0, 100), NOON) == LASTS
    assert outlook(day, standing(-20, 120), NOON) == LASTS


def test_a_period_begins_where_its_own_calendar_says() -> None:
    kolkata = Calendar("daily/day", 100, Periods("day", ZoneInfo("Asia/Kolkata")))
    # It is half past five in the afternoon there, so that 17.5 hours have passed.
    assert outlook(kolkata, standing(70, 30), NOON) == LASTS
    assert outlook(kolkata, standing(80, 20), NOON) == Outlook("ends", 35 * HOUR // 8)


def test_the_first_moment_of_a_period_says_nothing_yet() -> None:
    day = Calendar("daily/day", 100, Periods("day"))
    assert outlook(day, standing(60, 40), NOON - 12 * HOUR) == LASTS


def test_a_window_ends_only_where_it_began_to_be_spent_within_it() -> None:
    window = Sliding("week/1d", 100, DAY)
    # At a steady pace as much comes back as is spent.
    assert outlook(window, standing(90, 10), NOON) == LASTS
    assert outlook(window, standing(90, 10, age=2 * DAY), NOON) == LASTS
    assert outlook(window, standing(60, 40, age=6 * HOUR), NOON) == Outlook("ends", 4 * HOUR)
    assert outlook(window, standing(20, 80, age=6 * HOUR), NOON) == LASTS
    assert outlook(window, standing(100, 0), NOON) == EXHAUSTED


@pytest.mark.parametrize("rule", [Rate("burst/1s", 20, SECOND), Concurrency("flight", 4)])
def test_what_comes_back_within_seconds_has_no_forecast(rule: Rule[int]) -> None:
    assert outlook(rule, standing(20, 0), NOON) == NONE


def test_a_lifetime_has_no_beginning_and_still_an_end() -> None:
    ever = Calendar("trial/lifetime", 100, Periods("lifetime"))
    assert outlook(ever, standing(99, 1), NOON) == NONE
    assert outlook(ever, standing(100, 0), NOON) == EXHAUSTED

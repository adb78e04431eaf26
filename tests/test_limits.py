import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.limits import Charge, Exhausted, Limit, arrive, nanoseconds

SECOND = 1_000_000_000
LIMIT = Limit("burst", "principal", max=4, window=2.0)
CHARGE = Charge("acme|burst", LIMIT)

LIMITS = st.builds(
    Limit,
    st.just("any"),
    st.just("tenant"),
    max=st.integers(1, 1_000_000_000),
    window=st.floats(0.001, 1e9),
)


def after(count: int, now: int) -> int:
    """The expected arrival after so many requests at once."""
    expected = 0
    for _ in range(count):
        arrived = arrive(expected, CHARGE, now)
        assert isinstance(arrived, int)
        expected = arrived
    return expected


def test_requests_are_expected_at_the_sustained_rate() -> None:
    assert LIMIT.interval == SECOND // 2
    assert after(1, now=SECOND) == SECOND + SECOND // 2
    assert after(4, now=SECOND) == 3 * SECOND


def test_an_interval_is_rounded_up() -> None:
    assert Limit("thirds", "tenant", max=3, window=1.0).interval == 333_333_334
    assert Limit("fast", "tenant", max=1_000_000_000, window=0.001).interval == 1


def test_one_more_than_the_burst_is_exhausted_and_told_when_to_come_back() -> None:
    refused = arrive(after(4, now=0), CHARGE, 0)
    assert isinstance(refused, Exhausted)
    assert refused.limit == "burst"
    assert 0.5 < refused.retry_after < 0.500002


def test_a_request_is_on_time_to_the_nanosecond() -> None:
    expected = after(4, now=0)
    assert isinstance(arrive(expected, CHARGE, SECOND // 2 - 1), Exhausted)
    assert arrive(expected, CHARGE, SECOND // 2) == expected + SECOND // 2


def test_time_not_used_is_not_saved() -> None:
    assert arrive(after(1, now=0), CHARGE, 100 * SECOND) == 100 * SECOND + SECOND // 2


def test_a_clock_that_steps_back_refuses() -> None:
    expected = after(4, now=10 * SECOND)
    refused = arrive(expected, CHARGE, 0)
    assert isinstance(refused, Exhausted)
    assert 10.5 < refused.retry_after < 10.500002


@pytest.mark.parametrize(
    ("seconds", "whole"), [(0.0, 0), (0.1, 100_000_000), (1e-9, 1), (1.5e-9, 2)]
)
def test_seconds_are_whole_nanoseconds(seconds: float, whole: int) -> None:
    assert nanoseconds(seconds) == whole


@given(limit=LIMITS, now=st.integers(0, 2**62))
def test_every_limit_counts(limit: Limit, now: int) -> None:
    """However fast it is: with floats, what rounds away is never counted."""
    arrived = arrive(0, Charge("any", limit), now)
    assert isinstance(arrived, int)
    assert arrived > now


@given(limit=LIMITS, now=st.integers(0, 2**62), early=st.integers(1, 2**40))
def test_a_request_that_is_early_is_refused_for_as_long(limit: Limit, now: int, early: int) -> None:
    expected = now + early + limit.interval * (limit.max - 1)
    refused = arrive(expected, Charge("any", limit), now)
    assert isinstance(refused, Exhausted)
    assert early <= refused.retry_after * SECOND * (1 + 1e-15) <= early + 2_000

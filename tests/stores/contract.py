"""What every Counters must do.  A store's test module subclasses this."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extproc.limits import Charge, Counters, Exhausted, Limit, nanoseconds

BURST = Limit("burst", "principal", max=3, window=1.0)
HOURLY = Limit("hourly", "tenant", max=5, window=3600.0)

of_every_store = settings(suppress_health_check=[HealthCheck.differing_executors])
"""These laws are run by one class per store, which hypothesis would have us look at twice."""

LIMITS = st.builds(
    Limit,
    st.just("any"),
    st.just("principal"),
    max=st.integers(1, 30),
    window=st.sampled_from([0.001, 0.25, 1.0, 7.0, 60.0, 86_400.0]),
)
STEPS = st.lists(st.floats(0.0, 3.0), min_size=1, max_size=80)
"""Waits between requests, in sustained intervals of the limit."""
STARTS = st.sampled_from([0.0, 12.3, 1e6 + 0.1, 1.7e9 + 0.7])
"""A process just started, a machine long up, a clock of seconds since 1970."""


def burst(who: str = "alice") -> Charge:
    return Charge(f"burst|{who}", BURST)


def hourly(who: str = "acme") -> Charge:
    return Charge(f"hourly|{who}", HOURLY)


async def admitted(counters: Counters, limit: Limit, times: list[float]) -> list[float]:
    """The times at which a request was let in."""
    charge = Charge("any|alice", limit)
    return [time for time in times if await counters.take([charge], now=time) is None]


class CountersContract:
    def counters(self) -> Counters:
        """New and empty."""
        raise NotImplementedError

    async def test_lets_a_burst_up_to_the_maximum_in(self) -> None:
        counters = self.counters()
        for _ in range(3):
            assert await counters.take([burst()], now=10.0) is None
        refused = await counters.take([burst()], now=10.0)
        assert refused is not None
        assert refused.limit == "burst"
        assert refused.retry_after == pytest.approx(1 / 3, abs=1e-5)

    async def test_refills_evenly_and_not_at_once(self) -> None:
        counters = self.counters()
        for _ in range(3):
            await counters.take([burst()], now=10.0)
        assert await counters.take([burst()], now=10.34) is None
        assert await counters.take([burst()], now=10.34) is not None
        assert await counters.take([burst()], now=10.67) is None

    async def test_is_full_again_after_a_window(self) -> None:
        counters = self.counters()
        for start in (10.0, 11.001, 12.002):
            taken = [await counters.take([burst()], now=start) for _ in range(4)]
            assert taken[:3] == [None] * 3
            assert taken[3] is not None

    async def test_takes_from_all_limits_or_from_none(self) -> None:
        counters = self.counters()
        for _ in range(3):
            assert await counters.take([burst()], now=0.0) is None
        for _ in range(20):
            refused = await counters.take([hourly(), burst()], now=0.0)
            assert refused is not None
            assert refused.limit == "burst"
        for _ in range(5):
            assert await counters.take([hourly()], now=0.0) is None
        assert await counters.take([hourly()], now=0.0) is not None

    async def test_names_the_limit_that_is_last_to_let_in(self) -> None:
        counters = self.counters()
        for _ in range(3):
            await counters.take([burst()], now=0.0)
        for _ in range(5):
            await counters.take([hourly()], now=0.0)
        for charges in ([burst(), hourly()], [hourly(), burst()]):
            refused = await counters.take(charges, now=0.0)
            assert refused is not None
            assert refused.limit == "hourly"

    async def test_keys_do_not_share(self) -> None:
        counters = self.counters()
        for who in ("alice", "bob"):
            for _ in range(3):
                assert await counters.take([burst(who)], now=0.0) is None

    async def test_nothing_to_take_is_always_let_in(self) -> None:
        assert await self.counters().take([], now=0.0) is None

    async def test_a_refused_request_costs_nothing(self) -> None:
        counters = self.counters()
        for _ in range(3):
            await counters.take([burst()], now=0.0)
        before = await counters.take([burst()], now=0.0)
        for _ in range(100):
            await counters.take([burst()], now=0.0)
        assert await counters.take([burst()], now=0.0) == before

    async def test_a_clock_that_steps_back_refills_nothing(self) -> None:
        counters = self.counters()
        for _ in range(3):
            await counters.take([burst()], now=100.0)
        for back in (99.0, 50.0, 0.0, 100.0):
            assert await counters.take([burst()], now=back) is not None

    async def test_concurrent_requests_never_pass_the_limit(self) -> None:
        counters = self.counters()
        takes = [counters.take([hourly(), burst(f"{n}")], now=0.0) for n in range(50)]
        assert (await asyncio.gather(*takes)).count(None) == 5

    async def test_a_very_fast_limit_still_limits(self) -> None:
        """Its interval is less than the clock's floats can tell apart."""
        counters = self.counters()
        fast = Charge("fast", Limit("fast", "principal", max=2_000, window=0.001))
        taken = [await counters.take([fast], now=1.7e9) for _ in range(4_000)]
        assert taken.count(None) == 2_000

    @of_every_store
    @given(limit=LIMITS, start=STARTS, steps=STEPS)
    async def test_no_interval_lets_more_in_than_the_burst_and_its_refill(
        self, limit: Limit, start: float, steps: list[float]
    ) -> None:
        interval = limit.window / limit.max
        times = [start]
        for step in steps:
            times.append(times[-1] + step * interval)
        passed = [nanoseconds(time) for time in await admitted(self.counters(), limit, times)]
        for first, early in enumerate(passed):
            for last, late in enumerate(passed[first:], first):
                refill = (late - early) * limit.max / nanoseconds(limit.window)
                assert last - first + 1 <= limit.max + refill + 1e-9

    @of_every_store
    @given(limit=LIMITS, start=STARTS)
    async def test_a_full_burst_is_let_in_whatever_the_clock_says(
        self, limit: Limit, start: float
    ) -> None:
        passed = await admitted(self.counters(), limit, [start] * (limit.max + 3))
        assert len(passed) == limit.max

    @of_every_store
    @given(limit=LIMITS, start=STARTS, steps=STEPS)
    async def test_waiting_as_long_as_told_is_enough(
        self, limit: Limit, start: float, steps: list[float]
    ) -> None:
        counters, charge, now = self.counters(), Charge("any|alice", limit), start
        for step in steps:
            refused = await counters.take([charge], now=now)
            if isinstance(refused, Exhausted):
                now += refused.retry_after
                assert await counters.take([charge], now=now) is None
            now += step * limit.window / limit.max / 4

    @of_every_store
    @given(limit=LIMITS, times=st.lists(st.floats(0.0, 1e6), max_size=60))
    async def test_whatever_the_clock_does_nothing_is_refilled_twice(
        self, limit: Limit, times: list[float]
    ) -> None:
        """However often it steps back, no more is let in than by its highest reading."""
        passed = await admitted(self.counters(), limit, times)
        refill = (max(times, default=0.0) - min(passed, default=0.0)) * limit.max / limit.window
        assert len(passed) <= limit.max + refill + 1e-3

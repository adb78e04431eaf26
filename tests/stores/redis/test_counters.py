"""The scripts count as the memory does: the same answers to the same calls, at the same times."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.errors import StoreUnavailable
from extproc.limits import (
    SECOND,
    Calendar,
    Charge,
    Concurrency,
    Periods,
    Rate,
    Refused,
    Sliding,
    Taken,
    microseconds,
)
from extproc.stores.memory import MemoryCounters
from extproc.stores.redis.accounts import RedisAccounts
from tests.stores.contract import Clock, CountersContract, Store
from tests.stores.machine import LEASE, follow
from tests.stores.redis import rig
from tests.stores.redis.rig import Server

DAY = 86_400 * SECOND
BEGIN = int(datetime(2026, 3, 28, 22, 30, tzinfo=ZoneInfo("UTC")).timestamp()) * SECOND
"""Before a day that has 23 hours in Berlin."""
BERLIN = ZoneInfo("Europe/Berlin")

RULES = (
    Rate("burst", 5, SECOND),
    Rate("odd", 7, 3 * SECOND),
    Rate("fast", 1_000_000, SECOND // 10),
    Calendar("hourly", 9, Periods("hour")),
    Calendar("daily", 1_000, Periods("day", BERLIN)),
    Calendar("monthly", 30, Periods("month", BERLIN)),
    Calendar("ever", 100, Periods("lifetime")),
    Sliding("minutes", 12, 8 * 60 * SECOND),
    Sliding("days", 2_000, 30 * DAY),
    Concurrency("under way", 4),
)


AMOUNTS = st.one_of(st.integers(0, 12), st.integers(0, 3_000))


@st.composite
def charges(draw: st.DrawFn, groups: list[str]) -> list[Charge]:
    def one() -> Charge:
        amount = draw(AMOUNTS)
        return Charge(
            draw(st.sampled_from(RULES)),
            draw(st.sampled_from(groups)),
            draw(st.sampled_from(["", "alice", "bob"])),
            amount,
            draw(st.integers(0, amount)),
            draw(st.booleans()) and draw(st.booleans()),
        )

    return [one() for _ in range(draw(st.integers(1, 5)))]


FORWARD = [0, 1, 999, SECOND // 7, SECOND, 61 * SECOND, 3_600 * SECOND, DAY, 9 * DAY]


class Differential:
    """One call after another, in both stores."""

    def __init__(
        self, both: tuple[Any, Any], data: st.DataObject, groups: list[str], lease: float
    ) -> None:
        self.both, self.data, self.groups = both, data, groups
        self.lease = microseconds(lease)
        self.latest = 0
        self.taken: list[tuple[int, Any]] = []

    async def step(self, now: int) -> None:
        self.latest = max(self.latest, now)
        # A lease after it has lapsed a reservation is forgotten there, and in memory later.
        live: list[Any] = [pair for at, pair in self.taken if self.latest < at + 2 * self.lease]
        if bool(live) and self.data.draw(st.booleans()):
            pair = live[self.data.draw(st.integers(0, len(live) - 1), "settled")]
            amounts = [self.data.draw(AMOUNTS) for _ in pair[0].charges]
            for store, taken in zip(self.both, pair, strict=True):
                await store.settle(taken, amounts)
            return
        asked = self.data.draw(charges(self.groups))
        final = self.data.draw(st.booleans(), "final")
        one, other = [await store.take(asked, final=final) for store in self.both]
        if isinstance(one, Refused):
            assert other == one
            return
        assert (other.charges, other.marks, other.levels) == (one.charges, one.marks, one.levels)
        self.taken.append((now, (one, other)))


@given(data=st.data())
async def test_one_group_is_counted_as_in_memory_whatever_lapses(
    server: Server, data: st.DataObject
) -> None:
    await _differ(server, data, ["acme"], FORWARD, lease=100.0)


@given(data=st.data())
async def test_several_groups_are_counted_as_in_memory(server: Server, data: st.DataObject) -> None:
    groups = ["acme", "", "cohort:x"]
    await _differ(server, data, groups, FORWARD, lease=400 * 86_400.0)


async def _differ(
    server: Server, data: st.DataObject, groups: list[str], steps: list[int], lease: float
) -> None:
    now = BEGIN

    def clock() -> int:
        return now

    memory = MemoryCounters(lease=lease, clock=clock)
    async with rig.store(rig.single(server), rig.shape(lease=lease), clock) as there:
        differential = Differential((memory, there), data, groups, lease)
        for _ in range(data.draw(st.integers(1, 30), "calls")):
            now = max(BEGIN, now + data.draw(st.sampled_from(steps)))
            await differential.step(now)


async def test_what_is_settled_after_the_clock_stepped_back_refills_nothing(server: Server) -> None:
    clock = Clock()
    async with rig.store(rig.single(server), None, clock) as store:
        first = await store.take([Charge(RULES[0], "acme", "", 5)])
        assert isinstance(first, Taken)
        clock.pass_(SECOND)
        assert isinstance(await store.take([Charge(RULES[0], "acme", "", 5)], final=True), Taken)
        clock.pass_(-SECOND)
        await store.settle(first, [0])
        clock.pass_(SECOND)
        assert isinstance(await store.take([Charge(RULES[0], "acme", "", 1)]), Refused)


DAILY = Charge(Calendar("daily/day", 10, Periods("day")), "acme", "alice", 8)


@pytest.mark.parametrize("days", [-40, -1, 1, 40])
async def test_a_client_that_has_the_time_wrong_is_told_and_asks_again(
    server: Server, days: int
) -> None:
    async with rig.store(rig.single(server)) as store:
        link = store.servers.link("")
        link.offset += days * DAY
        taken = await store.take([DAILY])
        assert isinstance(taken, Taken)
        assert 0 < taken.levels[0].reset <= DAY
        link.offset += days * DAY
        await store.settle(taken, [3])
        link.offset += days * DAY
        await store.grant("acme", DAILY.rule, "alice", 1)
        assert abs(link.now() - time.time_ns() // 1000) < 10 * SECOND
        link.offset += days * DAY
        account = await store.read("acme", [DAILY.rule], most=1)
        assert account.standings[0].spent == 2


async def test_a_server_whose_clock_is_set_at_every_call_is_unavailable(server: Server) -> None:
    clock = iter(range(BEGIN, BEGIN + 400 * DAY, 3 * DAY))
    async with rig.store(rig.single(server), None, lambda: next(clock)) as store:
        with pytest.raises(StoreUnavailable, match="its clock is being set"):
            await store.take([DAILY])


class TestRedisCounters(CountersContract):
    """The contract of all stores."""

    @pytest.fixture(autouse=True)
    async def opened(self, server: Server) -> AsyncIterator[None]:
        self.server = server
        async with AsyncExitStack() as self.stack:
            yield

    async def counters(self, clock: Clock) -> Store:
        return await self.stack.enter_async_context(
            rig.store(rig.single(self.server), rig.shape(lease=self.lease), clock)
        )


SERVED: list[Server] = []
"""That which the machine makes its stores in."""


@pytest.fixture(scope="module")
def served() -> Iterator[None]:
    with rig.servers() as SERVED[:]:
        yield
    SERVED.clear()


async def redis(clock: Clock) -> Store:
    store = RedisAccounts(rig.single(SERVED[0]), rig.shape(lease=LEASE / SECOND), clock=clock)
    await store.start()
    return store


def test_whatever_is_done_it_says_what_the_model_says(served: None) -> None:
    follow(redis, of_steady_time=False)

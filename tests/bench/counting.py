"""What it costs to count in memory: time, a principal's bytes, and round trips with leases."""

import gc
import time
import tracemalloc
from asyncio import Runner
from collections.abc import Sequence
from typing import Any, Final

import uvloop

from extproc.limits import SECOND, Calendar, Charge, Periods, Rate, Refused, Rule, Taken
from extproc.stores.leased import Leased
from extproc.stores.memory import MemoryCounters
from tests.bench.figures import Figure, Spread, Table
from tests.bench.timing import EMPTY_LOOP, empty_loop

_CALLS: Final = 200
"""Under way at one time."""
_ROUNDS: Final = 100
_PRINCIPALS: Final = 100_000
_REQUESTS: Final = 20_000
_MOST: Final = 10**9
RATE: Final = Rate("rate/1m", _MOST, 60 * SECOND)
DAILY: Final = Calendar("daily/day", _MOST, Periods("day"))
FIVE: Final = (
    RATE,
    DAILY,
    Rate("burst/1s", _MOST, SECOND),
    Calendar("monthly/month", _MOST, Periods("month")),
    Calendar("ever/lifetime", _MOST, Periods("lifetime")),
)


def counting() -> Table:
    with Runner(loop_factory=uvloop.new_event_loop) as runner:
        scale, *times = runner.run(_times((_charges(RATE), _charges(DAILY), _charges(*FIVE))))
        trips = runner.run(_trips())
        rules = (Rate("rate/1h", 10, 3600 * SECOND), DAILY)
        sizes = [runner.run(_bytes(rule)) for rule in rules]
    (rate, _), (daily, settled), (five, settled_five) = times
    return Table(
        "Counting in memory",
        "each by a round trip",
        (
            Figure(EMPTY_LOOP, "us", scale[0]),
            Figure("a take from a rate", "us", rate, goal=3),
            Figure("a take from a calendar budget", "us", daily, goal=3),
            Figure("a take from five limits", "us", five),
            Figure("a settlement of one charge", "us", settled),
            Figure("a settlement of five", "us", settled_five),
            Figure("memory of a principal, a rate", "bytes", _once(sizes[0]), goal=200),
            Figure("memory of a principal, a calendar budget", "bytes", _once(sizes[1]), goal=200),
            Figure(
                f"round trips of {_REQUESTS:,} requests, leased 2 % at a time",
                "",
                _once(trips),
                _once(2 * _REQUESTS),
                goal=2 * _REQUESTS / 10,
            ),
        ),
    )


def _charges(*rules: Rule[Any]) -> tuple[Charge, ...]:
    return tuple(Charge(rule, "acme", "key:2c26b46b68ffc68f", 10, 5) for rule in rules)


async def _times(asked: Sequence[Sequence[Charge]]) -> list[tuple[Spread, Spread]]:
    """Microseconds of an empty loop, and then of each a take and its settlement: in turns."""
    counters = MemoryCounters()
    found: list[tuple[list[float], list[float]]] = [([], []) for _ in (None, *asked)]
    for _ in range(_ROUNDS):
        began = time.process_time()
        for _ in range(10):
            empty_loop()
        found[0][0].append((time.process_time() - began) / 10 * 1e6)
        for charges, (takes, settles) in zip(asked, found[1:], strict=True):
            took, settled = await _round(counters, charges)
            takes.append(took)
            settles.append(settled)
    return [(Spread.of(takes), Spread.of(settles or takes)) for takes, settles in found]


async def _round(counters: MemoryCounters, charges: Sequence[Charge]) -> tuple[float, float]:
    amounts = [7] * len(charges)
    began = time.process_time()
    outcomes = [await counters.take(charges) for _ in range(_CALLS)]
    between = time.process_time()
    for outcome in outcomes:
        assert isinstance(outcome, Taken)
        await counters.settle(outcome, amounts)
    ended = time.process_time()
    return (between - began) / _CALLS * 1e6, (ended - between) / _CALLS * 1e6


async def _bytes(rule: Rule[Any]) -> float:
    """Each of so many, whose counters all say something."""
    counters = MemoryCounters(capacity=_PRINCIPALS, share=_PRINCIPALS)
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(_PRINCIPALS):
            await counters.take([Charge(rule, "acme", f"key:{number:016x}", 10)], final=True)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(counters) == _PRINCIPALS
    return (after - before) / _PRINCIPALS


class _Counted:
    """The store behind: how often it was asked."""

    def __init__(self) -> None:
        self.trips = 0
        self._store = MemoryCounters()

    async def take(self, charges: Sequence[Charge], *, final: bool = False) -> Taken | Refused:
        self.trips += 1
        return await self._store.take(charges, final=final)

    async def settle(self, taken: Taken, amounts: Sequence[int]) -> None:
        self.trips += 1
        await self._store.settle(taken, amounts)


async def _trips() -> float:
    """Of a budget that three replicas use nearly up, by requests that are served one by one."""
    budget = Calendar("daily/day", _REQUESTS + _REQUESTS // 10, Periods("day"))
    store = _Counted()
    replicas = [Leased(store) for _ in range(3)]
    for number in range(_REQUESTS):
        replica = replicas[number % 3]
        taken = await replica.take([Charge(budget, "acme", "key:1", 1, 1)])
        assert isinstance(taken, Taken)
        await replica.settle(taken, [1])
    for replica in replicas:
        await replica.close()
    return store.trips


def _once(value: float) -> Spread:
    return Spread.of([value])

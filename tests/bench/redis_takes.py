"""What it costs to count in a Redis: at 32 at once, in one process, on a server of its own core.

The goals are of issue 5: at least 15,000 takes a second, so at most 66.7 microseconds each; at most
60 of this process's time; one round trip for five limits; 400 bytes for a principal.
"""

import asyncio
import time
from asyncio import Runner
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import uvloop

from extproc.limits import SECOND, Calendar, Charge, Periods, Rate, Sliding
from extproc.stores.redis.accounts import RedisAccounts
from extproc.stores.redis.counters import Shape
from tests.bench.figures import Figure, Spread, Table
from tests.bench.machine import Cores, on
from tests.stores.redis import rig

_ROUNDS: Final = 5
_AT_ONCE: Final = 32
_TAKES: Final = 3_200
_PRINCIPALS: Final = 100_000
_RATE: Final = Rate("burst/1s", 1_000_000, SECOND)
_DAILY: Final = Calendar("daily/day", 1 << 40, Periods("day"))
_FIVE: Final = (
    _RATE,
    _DAILY,
    Sliding("sliding/1h", 1 << 40, 3600 * SECOND),
    Calendar("monthly/month", 1 << 40, Periods("month")),
    Rate("slow/1h", 1_000_000, 3600 * SECOND),
)


def redis_takes(where: Cores) -> Table:
    with (
        on(where.others),
        rig.servers() as (server,),
        on(where.sidecar),
        Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(_measured(server))


async def _measured(server: rig.Server) -> Table:
    figures: list[Figure] = []
    async with rig.store(rig.single(server), Shape(wait=rig.PATIENT, share=200_000)) as store:

        async def final(number: int) -> None:
            await store.take([Charge(_RATE, "acme", f"{number % 50}", 1, 1)], final=True)

        async def settled(number: int) -> None:
            taken = await store.take([Charge(_DAILY, "acme", f"{number % 50}", 9, 1)])
            await store.settle(taken, [5])  # type: ignore[arg-type]

        async def five(number: int) -> None:
            who = f"{number % 50}"
            await store.take([Charge(rule, "acme", who, 1, 1) for rule in _FIVE], final=True)

        figures += await _timed("a take of one limit", final, (200 / 3, 60.0))
        figures += await _timed("a take of five limits", five, (None, None))
        figures += await _timed("a take of one budget, and its settlement", settled, (None, None))
        before = store.round_trips
        await five(0)
        trips = float(store.round_trips - before)
        figures.append(Figure("round trips of five limits", "", Spread.of([trips]), goal=1.0))
        figures.append(await _memory(store, server))
    return Table("Counters in a Redis, 32 takes at once", "", tuple(figures))


async def _timed(
    what: str,
    take: Callable[[int], Awaitable[None]],
    goals: tuple[float | None, float | None],
) -> Sequence[Figure]:
    """Microseconds of each, on the wall and of this process."""
    wall, own = [], []

    async def worker(first: int) -> None:
        for number in range(first, first + _TAKES // _AT_ONCE):
            await take(number)

    for _ in range(_ROUNDS):
        begun, spent = time.perf_counter(), time.process_time()
        await asyncio.gather(*(worker(number) for number in range(_AT_ONCE)))
        wall.append((time.perf_counter() - begun) / _TAKES * 1e6)
        own.append((time.process_time() - spent) / _TAKES * 1e6)
    return (
        Figure(f"{what}, on the wall", "us", Spread.of(wall), goal=goals[0]),
        Figure(f"{what}, of the sidecar's time", "us", Spread.of(own), goal=goals[1]),
    )


async def _memory(store: RedisAccounts, server: rig.Server) -> Figure:
    with server.client() as client:
        before = client.info("memory")["used_memory"]
        for first in range(0, _PRINCIPALS, 100):
            names = [f"key:{number:064x}" for number in range(first, first + 100)]
            charges = [Charge(_DAILY, "globex", name, 7, 7) for name in names]
            await store.take(charges, final=True)
        used = (client.info("memory")["used_memory"] - before) / _PRINCIPALS
    return Figure("memory of a principal, of 100,000", "B", Spread.of([used]), goal=400.0)

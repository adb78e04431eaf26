"""How long a Check takes with its counters in memory and in a Redis: side by side, over real gRPC.

The goal is of issue 5: the p99 with a Redis within twice of that without.  Client, sidecar and
Redis are of one machine; the first two share a core and an event loop.  One after the other: what
waits is for the store, and for no queue.
"""

import hmac
import tempfile
import time
from asyncio import Runner
from pathlib import Path
from typing import Final

import uvloop

from extproc.events import CheckedRequest
from extproc.policy import PolicyTable
from extproc.stores.redis.counters import Shape
from tests.bench.figures import Figure, Spread, Table, percentile
from tests.bench.machine import Cores, on
from tests.playbook import HMAC_KEY, policy, rate, table
from tests.server.wire import Envoy, running
from tests.stores.redis import rig

_ROUNDS: Final = 9
_CHECKS: Final = 400
_KEY: Final = "sk-bench"
_HEADERS: Final = {"content-type": "application/json", "authorization": f"Bearer {_KEY}"}
_ASKED: Final = CheckedRequest("POST", "/v1/chat/completions", _HEADERS)


def checks_by_store(where: Cores) -> Table:
    with (
        on(where.others),
        rig.servers() as (server,),
        on(where.sidecar),
        tempfile.TemporaryDirectory(prefix="extproc-bench-") as directory,
        Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(_measured(server, Path(directory)))


async def _measured(server: rig.Server, directory: Path) -> Table:
    known = _table()
    async with (
        rig.store(rig.single(server), Shape(wait=rig.PATIENT)) as store,
        running(directory / "memory", known) as (_, memory),
        running(directory / "redis", known, store) as (_, redis),
    ):
        halves: dict[float, tuple[list[float], list[float]]] = {0.5: ([], []), 0.99: ([], [])}
        for _ in range(_ROUNDS):
            by_memory, by_redis = await _side_by_side(memory, redis)
            for share, (without, ours) in halves.items():
                without.append(percentile(by_memory, share))
                ours.append(percentile(by_redis, share))
    figures = [
        Figure(f"p{share * 100:.0f} of a Check", "us", Spread.of(ours), Spread.of(without))
        for share, (without, ours) in halves.items()
    ]
    without, ours = halves[0.99]
    ratios = [one / other for one, other in zip(ours, without, strict=True)]
    figures.append(Figure("p99 with a Redis, to that in memory", "", Spread.of(ratios), goal=2.0))
    return Table("A Check with its limits in a Redis", "in memory", tuple(figures))


def _table() -> PolicyTable:
    principal = f"key:{hmac.new(HMAC_KEY, _KEY.encode(), 'sha256').hexdigest()}"
    limits = (
        rate("burst", "principal", 1_000_000, 1),
        rate("minute", "principal", 10_000_000, 60),
        rate("hour", "tenant", 100_000_000, 3600),
    )
    return table(policy(limits=limits), tenants={principal: "acme"})


async def _side_by_side(memory: Envoy, redis: Envoy) -> tuple[list[float], list[float]]:
    """Microseconds of each, in turns."""
    taken: tuple[list[float], list[float]] = [], []
    for _ in range(_CHECKS):
        for envoy, times in zip((memory, redis), taken, strict=True):
            begun = time.perf_counter()
            response = await envoy.check(_ASKED)
            times.append((time.perf_counter() - begun) * 1e6)
            assert response.status.code == 0
    return taken

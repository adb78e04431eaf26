"""What detection costs: time for a query, memory for a principal, round trips of a replica.

The goals are of issue 7: 1,000,000 principals in at most 4 GiB, one round trip a second; for that
of a query's time see watching.py.
"""

import subprocess
import sys
import time
from asyncio import Runner
from collections.abc import Callable
from typing import Final

import numpy as np
import uvloop
from msgspec.structs import replace
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from extproc.detectors.features import Features
from extproc.detectors.panel import layout as layout_of
from extproc.detectors.profile import Decay, Layout
from extproc.detectors.sketch import Sketcher
from extproc.stores.profiles import Profiles
from extproc.stores.redis.profiles import RedisProfiles
from tests.bench.cohorts import cohorts
from tests.bench.figures import Figure, Spread, Table
from tests.bench.machine import Cores, on
from tests.bench.timing import EMPTY_LOOP, Work, empty_loop, take_turns
from tests.detectors.questions import KEY, asked, questions, reference
from tests.detectors.trees import by_chance
from tests.stores.redis import rig

_QUERIES: Final = 256
_TOGETHER: Final = 16
"""Queries that are counted between two looks at a caller."""
_HALF_LIFE: Final = 604_800.0
_SECONDS: Final = 5.0
_NOW: Final = 1.8e9


def detection(where: Cores, principals: int) -> Table:
    known = reference()
    # As large as `extproc calibrate` grows one.
    layout = layout_of(known, 0.8, _HALF_LIFE, by_chance(64, 7, 500))
    sketcher = Sketcher(known, KEY)
    observed = [asked(question) for question in questions(_QUERIES, 5)]
    batches = [observed[at : at + _TOGETHER] for at in range(0, _QUERIES, _TOGETHER)]

    def sketch() -> list[Features]:
        return [each for batch in batches for each in sketcher.features(batch)]

    count = _counting(layout, sketch())
    works = [Work(empty_loop), Work(sketch, per=_QUERIES), Work(count, per=_QUERIES)]
    with threadpool_limits(1):  # as `extproc serve` has it
        scale, sketched, counted = take_turns(works)
        linked = cohorts(layout, known.shares)
    each = _memory(principals)
    with on(where.others), rig.servers() as (server,), on(where.sidecar):
        trips, octets = _trips(server, layout, sketch())
    return Table(
        "Detection",
        "",
        (
            Figure(EMPTY_LOOP, "us", scale),
            Figure("a query's sketch, of 16 together", "us", sketched),
            Figure("a query counted, its caller judged after 16", "us", counted),
            Figure(f"memory of one of {principals:,} principals", "bytes", each, goal=4294),
            Figure("round trips a second of a replica", "", trips, goal=1),
            Figure("octets that a caller takes in the store", "bytes", octets),
            *linked,
        ),
    )


def _counting(layout: Layout, features: list[Features]) -> Callable[[], None]:
    draws = np.random.default_rng(1)
    profiles = Profiles(layout, Decay(_HALF_LIFE), 1000, draws=draws)
    turn = 0

    def count() -> None:
        nonlocal turn
        turn += 1
        for number, each in enumerate(features):
            caller = f"acme|key:{number // _TOGETHER}"
            # Every time another query, so that none is a repeat.
            fresh = replace(each, digests=each.digests + np.uint64(7919 * turn), time=_NOW + turn)
            profiles.add(caller, "acme", fresh)
            if number % _TOGETHER == _TOGETHER - 1:
                found = profiles.read(caller, _NOW + turn)
                assert found is not None
                layout.evidence(found.counters)

    return count


def _memory(principals: int) -> Spread:
    command = [sys.executable, "-m", "tests.bench.principals", str(principals)]
    taken = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return Spread.of([int(taken) / principals])


def _trips(server: rig.Server, layout: Layout, features: list[Features]) -> tuple[Spread, Spread]:
    with Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_shared(server, layout, features))


async def _shared(
    server: rig.Server, layout: Layout, features: list[Features]
) -> tuple[Spread, Spread]:
    """Two replicas under load for some seconds."""
    prefix, draws = rig.prefix(), np.random.default_rng(1)
    replicas = []
    for _ in range(2):
        own = Profiles(layout, Decay(_HALF_LIFE), 10_000, draws=draws)
        replicas.append(RedisProfiles(own, layout, _HALF_LIFE, rig.single(server), prefix))
    for each in replicas:
        await each.start()
    before, began = [each.writes for each in replicas], time.monotonic()
    while time.monotonic() - began < _SECONDS:
        for number, query in enumerate(features):
            replicas[number % 2].add(f"acme|key:{number}", "acme", replace(query, time=_NOW))
        await rig.passed(0.05)
    seconds = time.monotonic() - began
    made = [(each.writes - was) / seconds for each, was in zip(replicas, before, strict=True)]
    with server.client() as client:
        keys = client.keys(f"{prefix}:{{profiles}}:acme*")
        octets = [client.memory_usage(key) for key in keys]
    for each in replicas:
        await each.close()
    return Spread.of(made), Spread.of(octets)

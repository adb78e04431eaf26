"""Requests a second, and what each costs the sidecar and Envoy, under full load."""

import time
from dataclasses import dataclass
from typing import Final

from tests.bench import bodies, listeners
from tests.bench.client import pool
from tests.bench.figures import Figure, Spread, Table
from tests.bench.machine import on
from tests.bench.rig import Rig
from tests.bench.timing import EMPTY_LOOP, Work, empty_loop, take_turns

CONNECTIONS: Final = 32


@dataclass(frozen=True, slots=True)
class Way:
    """A request, by the listener that it takes."""

    listener: str
    request: bytes
    status: int = 200


@dataclass(frozen=True, slots=True)
class Round:
    rate: float
    """Requests a second."""
    sidecar: float
    """Microseconds of CPU a request, of the sidecar or of what stands in for it."""
    envoy: float
    """Microseconds of CPU a request."""


_CHAT: Final = bodies.request(bodies.CHAT, bodies.ask_chat())
_EMBEDDING: Final = bodies.request(bodies.EMBEDDINGS, bodies.ask_embeddings())
_STRANGER: Final = bodies.request(bodies.CHAT, bodies.ask_chat(), key="xk-nobody")
_WAYS: Final = {
    "chat": Way(listeners.PLAIN, _CHAT),
    "chat check": Way(listeners.CHECK, _CHAT),
    "chat bare check": Way(listeners.BARE_CHECK, _CHAT),
    "chat whole": Way(listeners.WHOLE, _CHAT),
    "chat bare": Way(listeners.BARE, _CHAT),
    "embedding": Way(listeners.PLAIN, _EMBEDDING),
    "embedding whole": Way(listeners.WHOLE, _EMBEDDING),
    "embedding bare": Way(listeners.BARE, _EMBEDDING),
    "denied": Way(listeners.WHOLE, _STRANGER, 401),
}


async def throughput(rig: Rig, rounds: int, seconds: float) -> list[Table]:
    found: dict[str, list[Round]] = {name: [] for name in _WAYS}
    speeds: list[float] = []
    for _ in range(rounds):
        for name, way in _WAYS.items():
            found[name].append(await _round(rig, way, seconds))
            with on(rig.cores.sidecar):
                speeds.append(take_turns([Work(empty_loop)])[0].median)
    return [_core(speeds), _rates(found), _sidecar(found), _envoy(found)]


async def _round(rig: Rig, way: Way, seconds: float) -> Round:
    bare = way.listener in {listeners.BARE, listeners.BARE_CHECK}
    sidecar = rig.floor if bare else rig.sidecar
    async with pool(rig.ports[way.listener], way.request, CONNECTIONS, way.status) as asked:
        await asked.once()
        began, ours, envoys = time.perf_counter(), sidecar.cpu(), rig.envoy.cpu()
        count = await asked.closed(seconds)
        took = time.perf_counter() - began
        ours, envoys = sidecar.cpu() - ours, rig.envoy.cpu() - envoys
    return Round(count / took, ours / count * 1e6, envoys / count * 1e6)


def _core(speeds: list[float]) -> Table:
    """Figures of two runs compare as these do; far apart, the core was not ours alone."""
    return Table(
        "Speed of the sidecar's core meanwhile",
        "",
        (Figure(EMPTY_LOOP, "us", Spread.of(speeds)),),
    )


def _rates(found: dict[str, list[Round]]) -> Table:
    def rates(name: str) -> Spread:
        return Spread.of([each.rate for each in found[name]])

    return Table(
        f"Requests a second at {CONNECTIONS} connections",
        "the same Envoy without filters",
        (
            Figure("ext_authz alone", "req/s", rates("chat check"), rates("chat")),
            Figure("whole JSON exchange, 1 KB", "req/s", rates("chat whole"), rates("chat")),
            Figure(
                "whole exchange, a JSON embedding",
                "req/s",
                rates("embedding whole"),
                rates("embedding"),
            ),
            Figure("denied request", "req/s", rates("denied")),
        ),
    )


def _sidecar(found: dict[str, list[Round]]) -> Table:
    def cost(name: str) -> Spread:
        return Spread.of([each.sidecar for each in found[name]])

    return Table(
        "CPU of the sidecar per request",
        "the same messages over the same grpc, nothing done",
        (
            Figure("Check", "us", cost("chat check"), cost("chat bare check"), goal=450),
            Figure(
                "whole JSON exchange, 1 KB: Check and Process",
                "us",
                cost("chat whole"),
                cost("chat bare"),
                goal=1600,
            ),
            Figure(
                "whole exchange, a JSON embedding",
                "us",
                cost("embedding whole"),
                cost("embedding bare"),
            ),
            Figure("denied request: Check and the reply", "us", cost("denied")),
        ),
    )


def _envoy(found: dict[str, list[Round]]) -> Table:
    def cost(name: str) -> Spread:
        return Spread.of([each.envoy for each in found[name]])

    return Table(
        "CPU of Envoy per request",
        "the same Envoy without filters",
        (
            Figure("ext_authz alone", "us", cost("chat check"), cost("chat")),
            Figure("whole JSON exchange, 1 KB", "us", cost("chat whole"), cost("chat")),
            Figure(
                "whole exchange, a JSON embedding", "us", cost("embedding whole"), cost("embedding")
            ),
        ),
    )

"""How much later an answer comes, at a rate that leaves every process time to spare."""

import asyncio
import time
from collections import deque
from typing import Final

from tests.bench import bodies, listeners
from tests.bench.client import Connection, Pool, pool
from tests.bench.figures import Figure, Spread, Table, percentile
from tests.bench.rig import Rig

RATE: Final = 100
"""Requests a second."""
CONNECTIONS: Final = 64
"""Of which nearly all are free at that rate."""
_WAYS: Final = {listeners.CHECK: "ext_authz alone", listeners.WHOLE: "whole JSON exchange"}
_SHARES: Final = {"p50": 0.5, "p99": 0.99}


class Arrivals:
    """Requests that are due at fixed times, however late answers are.

    Latency counts from when a request was due: what it waits for a free connection, or for a slow
    client, is in it ("coordinated omission", Gil Tene).
    """

    def __init__(self, asked: Pool, rate: float, total: int) -> None:
        self.latencies: list[float] = []
        self._asked, self._rate, self._total = asked, rate, total
        self._free = list(asked.connections)
        self._waiting: deque[float] = deque()
        self._begin = time.perf_counter()
        self._sent = 0

    def tick(self) -> None:
        """Send what is due, and come back for the next."""
        while self._sent < self._total and (due := self._due()) <= time.perf_counter():
            self._sent += 1
            if self._free:
                self._send(self._free.pop(), due)
            else:
                self._waiting.append(due)
        if self._sent < self._total:
            pause = max(0.0, self._due() - time.perf_counter())
            asyncio.get_running_loop().call_later(pause, self.tick)

    def _due(self) -> float:
        return self._begin + self._sent / self._rate

    def _send(self, connection: Connection, due: float) -> None:
        def answered(connection: Connection) -> None:
            self.latencies.append(time.perf_counter() - due)
            if self._waiting:
                self._send(connection, self._waiting.popleft())
            else:
                self._free.append(connection)
            if len(self.latencies) == self._total:
                self._asked.succeed()

        connection.ask(self._asked.request, answered)


async def latency(rig: Rig, rounds: int, seconds: float) -> Table:
    names = (listeners.PLAIN, *_WAYS)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            found[name].append(await _round(rig.ports[name], seconds))
    return Table(
        f"Latency of a chat request at {RATE} requests a second",
        "the same Envoy without filters",
        tuple(
            figure
            for name, title in _WAYS.items()
            for share in _SHARES
            for figure in _figures(title, share, found[listeners.PLAIN], found[name])
        ),
    )


async def _round(port: int, seconds: float) -> dict[str, float]:
    """Milliseconds, by share."""
    request = bodies.request(bodies.CHAT, bodies.ask_chat())
    async with pool(port, request, CONNECTIONS) as asked:
        await asked.once()
        arrivals = Arrivals(asked, RATE, int(RATE * seconds))
        arrivals.tick()
        await asked.wait(seconds)
    return {name: percentile(arrivals.latencies, share) * 1000 for name, share in _SHARES.items()}


def _figures(
    title: str, share: str, plain: list[dict[str, float]], ours: list[dict[str, float]]
) -> tuple[Figure, Figure]:
    before, after = [each[share] for each in plain], [each[share] for each in ours]
    added = [late - early for early, late in zip(before, after, strict=True)]
    return (
        Figure(f"{title}, {share}", "ms", Spread.of(after), Spread.of(before)),
        Figure(f"{title}, added {share}", "ms", Spread.of(added)),
    )

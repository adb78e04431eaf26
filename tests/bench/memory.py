"""Memory of the sidecar: while thousands of streams wait, and while one large answer passes."""

import asyncio
import time
from typing import Final

from tests.bench import bodies, listeners
from tests.bench.client import pool
from tests.bench.figures import Figure, Spread, Table
from tests.bench.rig import Rig

_MIB: Final = 1 << 20
_AT_ONCE: Final = 32


async def large(rig: Rig, rounds: int) -> Table:
    """Answers of 64 MB through a sidecar that has seen none; the first tells the growth."""
    request = bodies.request(bodies.EMBEDDINGS, bodies.ask_embeddings("large"))
    async with pool(
        rig.ports[listeners.WHOLE], bodies.request(bodies.EMBEDDINGS, bodies.ask_embeddings()), 1
    ) as asked:
        await asked.once()
    rig.sidecar.forget_peak()
    before = rig.sidecar.resident()
    rates: dict[str, list[float]] = {listeners.PLAIN: [], listeners.WHOLE: []}
    cpu: list[float] = []
    for _ in range(rounds):
        for name, found in rates.items():
            began, ours = time.perf_counter(), rig.sidecar.cpu()
            async with pool(rig.ports[name], request, 1) as asked:
                await asked.once()
            found.append(bodies.LARGE / 1e6 / (time.perf_counter() - began))
            if name == listeners.WHOLE:
                cpu.append(bodies.LARGE / 1e6 / (rig.sidecar.cpu() - ours))
    grown = (rig.sidecar.peak() - before) / _MIB
    return Table(
        "An embeddings answer of 64 MB, 8-bit quantised",
        "the same Envoy without filters",
        (
            Figure(
                "through Envoy",
                "MB/s",
                Spread.of(rates[listeners.WHOLE]),
                Spread.of(rates[listeners.PLAIN]),
            ),
            Figure("per second of the sidecar's CPU", "MB/s", Spread.of(cpu)),
            Figure("growth of the sidecar at its peak", "MiB", Spread.of([grown]), goal=32),
        ),
    )


async def idle(rig: Rig, streams: int) -> Table:
    """Streams that have sent one event and then nothing, all at once."""
    request = bodies.request(bodies.CHAT, bodies.ask_chat("idle", stream=True))
    before = rig.sidecar.resident()
    async with pool(rig.ports[listeners.WHOLE], request, streams) as asked:
        await asked.begin(_AT_ONCE)
        during = rig.sidecar.resident()
    # In a thread: this loop still has to close its connections.
    await asyncio.to_thread(rig.sidecar.until, lambda: rig.open_streams() == 0)
    after = rig.sidecar.resident()
    return Table(
        f"Memory of the sidecar at {streams:,} idle streams",
        "before the first of them",
        (
            Figure("while they wait", "MiB", _once(during / _MIB), _once(before / _MIB)),
            Figure("each of them", "KiB", _once((during - before) / streams / 1024)),
            Figure("after they have gone", "MiB", _once(after / _MIB), _once(before / _MIB)),
        ),
    )


def _once(value: float) -> Spread:
    return Spread.of([value])

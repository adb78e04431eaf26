"""What one server-sent event costs: many streams at once, whose events come at a steady pace."""

from typing import Final

from tests.bench import bodies, listeners
from tests.bench.client import pool
from tests.bench.figures import BenchmarkError, Figure, Spread, Table
from tests.bench.rig import Rig

STREAMS: Final = 50
_AT_ONCE: Final = 25


async def events(rig: Rig, rounds: int) -> Table:
    names = (listeners.PLAIN, listeners.BARE, listeners.WHOLE)
    sidecar: dict[str, list[float]] = {name: [] for name in names}
    envoy: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            ours, envoys = await _round(rig, name)
            sidecar[name].append(ours)
            envoy[name].append(envoys)
    pace = STREAMS / bodies.EVENT_EVERY
    return Table(
        f"CPU per event: {STREAMS} streams, {pace:.0f} events a second",
        "sidecar: the same messages over the same grpc; Envoy: without filters",
        (
            Figure(
                "sidecar",
                "us",
                Spread.of(sidecar[listeners.WHOLE]),
                Spread.of(sidecar[listeners.BARE]),
            ),
            Figure(
                "Envoy", "us", Spread.of(envoy[listeners.WHOLE]), Spread.of(envoy[listeners.PLAIN])
            ),
        ),
    )


async def _round(rig: Rig, listener: str) -> tuple[float, float]:
    """Microseconds an event: of the sidecar (or what stands in for it) and of Envoy."""
    sidecar = rig.floor if listener == listeners.BARE else rig.sidecar
    request = bodies.request(bodies.CHAT, bodies.ask_chat("paced", stream=True))
    async with pool(rig.ports[listener], request, STREAMS) as asked:
        ended = await asked.begin(_AT_ONCE)
        seen, ours, envoys = asked.marks, sidecar.cpu(), rig.envoy.cpu()
        await asked.until(ended, bodies.PAUSE + bodies.EVENTS * bodies.EVENT_EVERY)
        ours, envoys = sidecar.cpu() - ours, rig.envoy.cpu() - envoys
        if asked.marks != STREAMS * bodies.EVENTS:
            raise BenchmarkError(f"{asked.marks} events came")
    count = asked.marks - seen
    return ours / count * 1e6, envoys / count * 1e6

"""How late the ticks of many streams at a constant rate are, each counted from its own instant.

Everything of ours is real: alarms, pacer, exchange, and the messages to Envoy, which are written
and dropped.  What grpc takes for each of them is not in it: see streams.py.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final

import uvloop

from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import ProcessingResponse
from extproc.events import Event, RequestBody, RequestHeaders, ResponseBody
from extproc.exchange import Exchange
from extproc.policy import Policy
from extproc.server.alarms import Alarms
from extproc.server.driver import EOF, drive
from extproc.server.held import Held
from extproc.server.pacer import Direct, Paced
from extproc.shaping import Grid, Rate, Shaping
from tests.bench.figures import Figure, Spread, Table, percentile
from tests.playbook import ASK_STREAM, EVENT, headers, policy, unreserved
from tests.server.wire import message

STREAMS: Final = 1_000
TICK: Final = 0.05
GRID: Final = 0.25
SECONDS: Final = 5.0
_SHAPING: Final = Shaping(grid=Grid(GRID), rate=Rate(TICK, 512))
_SPREAD: Final = 1.0
"""Seconds over which the streams begin, as those of many clients would."""


class Stream:
    """Envoy's side of one, which reads until it is told to stop."""

    def __init__(self, events: Sequence[Event], over: asyncio.Event) -> None:
        self._messages = [message(event) for event in events]
        self._over, self._ended = over, asyncio.Event()
        self.begins = 0.0
        self.late: list[float] = []
        self.missed = 0
        self._count = -1

    async def read(self) -> Any:
        if len(self._messages) == 1:
            await self._over.wait()
        if self._messages:
            return self._messages.pop(0)
        await self._ended.wait()
        return EOF

    async def write(self, response: ProcessingResponse) -> None:
        response.SerializeToString()
        if response.response_body.response.body_mutation.streamed_response.end_of_stream:
            self._ended.set()
        if response.HasField("response_body"):
            self._tick(time.monotonic() - self.begins)

    def _tick(self, now: float) -> None:
        """Late is what comes after its instant; those that were left out are missed."""
        count = int(now / TICK + 1e-6)
        self.missed += count - self._count - 1
        self.late.append(now - count * TICK)
        self._count = count

    def begin(self) -> None:
        """Count from now: all streams are there."""
        self.late, self.missed = [], 0


def ticks(streams: int = STREAMS, seconds: float = SECONDS) -> Table:
    """Milliseconds between a tick and the message that leaves at it."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        made = runner.run(_ticks(streams, seconds))
    late = [late * 1000 for stream in made for late in stream.late]
    missed = sum(stream.missed for stream in made)
    return Table(
        f"Ticks of {streams} streams, one in {TICK * 1000:.0f} ms each",
        "",
        (
            Figure("late, p50", "ms", _only(percentile(late, 0.5))),
            Figure("late, p99", "ms", _only(percentile(late, 0.99)), goal=10),
            Figure("late, the most", "ms", _only(max(late))),
            Figure("left out", "%", _only(100 * missed / (missed + len(late)))),
        ),
    )


def _only(value: float) -> Spread:
    return Spread.of([value])


async def _ticks(streams: int, seconds: float) -> list[Stream]:
    alarms, held, over = Alarms(), Held(1 << 30), asyncio.Event()
    shaped = policy(shaping=_SHAPING)
    loop, running, made = asyncio.get_running_loop(), list[asyncio.Task[None]](), list[Stream]()
    for _ in range(streams):
        stream = _stream(over)
        made.append(stream)
        running.append(asyncio.create_task(_run(stream, shaped, alarms, held)))
        await _pass(loop, _SPREAD / streams)
    await _pass(loop, 2 * GRID)
    for stream in made:
        stream.begin()
    await _pass(loop, seconds)
    over.set()
    await asyncio.gather(*running)
    return made


def _stream(over: asyncio.Event) -> Stream:
    answer: list[Event] = [headers("text/event-stream"), ResponseBody(EVENT, end=False)]
    return Stream([RequestBody(ASK_STREAM, end=True), *answer, ResponseBody(b"", end=True)], over)


async def _run(stream: Stream, shaped: Policy, alarms: Alarms, held: Held) -> None:
    arrival = alarms.clock()
    stream.begins = arrival + GRID
    paced = Paced(Direct(stream.read, stream.write), _SHAPING, arrival, alarms, 1 << 20)
    await drive(Exchange(shaped, {}), message(RequestHeaders(end=False)), paced, held, unreserved)


async def _pass(loop: asyncio.AbstractEventLoop, seconds: float) -> None:
    over = loop.create_future()
    loop.call_later(seconds, over.set_result, None)
    await over

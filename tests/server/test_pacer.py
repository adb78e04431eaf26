"""When things leave, on a clock that a test moves: nothing sleeps, nothing is a matter of luck."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import ProcessingResponse
from extproc.constant_rate import EventFiller, Filler
from extproc.errors import ProtocolError
from extproc.events import (
    Abort,
    Action,
    Event,
    ReplaceRequest,
    ReplaceResponse,
    RequestBody,
    RequestHeaders,
    Respond,
    ResponseBody,
    ResponseHeaders,
    ResponseTrailers,
    SendResponseBody,
    SendResponseHeaders,
    SendResponseTrailers,
    Work,
)
from extproc.exhaustion import Reserving
from extproc.limits import Reserved
from extproc.padding import Buckets
from extproc.refusal import OVERLOADED, Refusal
from extproc.server.driver import EOF, drive
from extproc.server.held import Held
from extproc.server.pacer import Direct, Paced
from extproc.shaping import Grid, Rate, Shaping
from tests.playbook import unreserved
from tests.server.timers import Timers
from tests.server.wire import message

STEP = 1 / 64
"""Seconds by which the clock moves: sums of such are exact."""
GRID, TICK = 16 * STEP, 4 * STEP
ON_GRID = Shaping(grid=Grid(GRID))
STEADY = Shaping(grid=Grid(GRID), rate=Rate(TICK, 100))
ANSWER = ReplaceResponse(200, {}, (), b"answer")
REFUSAL = Respond(400, {}, b"refused", "extproc_no")
HEAD = ResponseHeaders(200, {":status": "200"}, end=False)


class Machine:
    """Answers each event as a script says; the event whose actions come last ends it."""

    def __init__(self, *script: Sequence[Action], filler: Filler | None = None) -> None:
        self.script = list(script)
        self.filler = filler
        self.held = 0

    @property
    def done(self) -> bool:
        return not self.script

    working = False
    reserving: Reserving | None = None

    def receive(self, event: Event | Work | Reserved) -> Sequence[Action]:
        actions = self.script.pop(0) if self.script else []
        if actions and isinstance(actions[0], type) and issubclass(actions[0], Exception):
            raise actions[0]("planted")
        return actions

    def refuse(self, refusal: Refusal) -> Sequence[Action]:
        self.script.clear()
        return [SendResponseBody(b"overloaded", end=True)]


class Run:
    """One exchange on a clock of its own: Envoy's messages come when a test sends them."""

    def __init__(
        self,
        machine: Machine,
        shaping: Shaping = ON_GRID,
        *,
        held: Held | None = None,
        cap: int = 1 << 20,
        name: str = "",
    ) -> None:
        self.timers = Timers()
        self.arrival = self.timers.now
        self.machine, self.held = machine, held or Held(1 << 30)
        self.incoming: asyncio.Queue[Any] = asyncio.Queue()
        self.left: list[tuple[float, ProcessingResponse]] = []
        self.costs: list[float] = []
        """Seconds that the next writes take."""
        self.reads = 0
        direct = Direct(self._read, self._write, name)
        self.pacer = Paced(direct, shaping, self.arrival, self.timers.alarms, cap)
        first = message(RequestHeaders(end=False))
        self.task = asyncio.create_task(drive(machine, first, self.pacer, self.held, unreserved))

    async def _read(self) -> Any:
        self.reads += 1
        return await self.incoming.get()

    async def _write(self, response: ProcessingResponse) -> None:
        self.left.append((round(self.timers.now - self.arrival, 6), response))
        self.timers.now += self.costs.pop() if self.costs else 0.0

    async def settle(self) -> None:
        """Let everything that can go on go on."""
        for _ in range(20):
            await asyncio.sleep(0)

    async def send(self, *events: Event) -> None:
        for event in events:
            self.incoming.put_nowait(message(event))
        await self.settle()

    async def advance(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP)):
            self.timers.advance(STEP)
            await self.settle()

    async def end(self) -> None:
        """Envoy ends its side, and the driver must return."""
        self.incoming.put_nowait(EOF)
        await asyncio.wait_for(self.task, 10)

    @property
    def instants(self) -> list[float]:
        """When something left to the client."""
        ours = {"response_headers", "response_body", "response_trailers", "immediate_response"}
        return [at for at, sent in self.left if sent.WhichOneof("response") in ours]

    @property
    def bodies(self) -> list[bytes]:
        return [
            sent.response_body.response.body_mutation.streamed_response.body
            for _, sent in self.left
            if sent.HasField("response_body")
        ]


async def asked(
    *script: Sequence[Action], shaping: Shaping = ON_GRID, filler: Filler | None = None, **more: Any
) -> Run:
    """An exchange whose request has gone on, and whose answers are scripted."""
    run = Run(Machine([], [ReplaceRequest(b"ask")], *script, filler=filler), shaping, **more)
    await run.send(RequestBody(b"ask", end=True))
    return run


# The grid.


async def test_what_goes_to_the_model_server_does_not_wait() -> None:
    run = await asked([ANSWER])
    assert [at for at, _ in run.left] == [0]
    assert run.instants == []
    run.task.cancel()


@pytest.mark.parametrize("work", [0.0, STEP, 0.125, GRID - STEP, GRID + STEP, 0.375, 0.625])
@pytest.mark.parametrize("answer", [ANSWER, REFUSAL, SendResponseHeaders()])
async def test_an_answer_leaves_on_the_grid_whatever_it_is(work: float, answer: Action) -> None:
    """Success, refusal, or header fields alone."""
    run = await asked([answer])
    await run.advance(work)
    await run.send(HEAD)
    assert run.instants == []
    await run.advance(1)
    expected = GRID * (1 + int(work / GRID))
    assert run.instants == [expected]
    assert run.held.total == 0
    await run.end()


@given(work=st.floats(0, 2))
def test_no_instant_lies_before_its_multiple(work: float) -> None:
    async def play() -> None:
        run = await asked([REFUSAL])
        run.timers.now += work
        await run.send(HEAD)
        run.timers.advance(GRID)
        await run.settle()
        [at] = run.instants
        steps = at / GRID
        # The timers of the loop count thousandths, upwards.
        assert steps - round(steps) + 1e-9 > -1e-6 or steps % 1 < 1
        assert at >= work
        await run.end()

    asyncio.run(play())


async def test_a_cut_off_answer_is_cut_off_on_the_grid() -> None:
    run = await asked([Abort("extproc_answer_cut")])
    await run.advance(0.125)
    await run.send(HEAD)
    await run.advance(0.125 - STEP)
    assert not run.task.done()
    await run.advance(STEP)
    with pytest.raises(ProtocolError, match="extproc_answer_cut"):
        await asyncio.wait_for(run.task, 10)
    assert run.timers.now - run.arrival == GRID
    assert run.instants == []


@pytest.mark.parametrize("fault", [ProtocolError, RuntimeError, KeyError])
async def test_a_fault_shows_on_the_grid(fault: type[Exception]) -> None:
    """A bug that a body sets off would tell otherwise when the body was there."""
    run = await asked([fault], [])  # type: ignore[list-item]
    await run.advance(0.375)
    await run.send(HEAD)
    await run.advance(0.125 - STEP)
    assert not run.task.done()
    await run.advance(STEP)
    with pytest.raises(fault):
        await asyncio.wait_for(run.task, 10)
    assert run.timers.now - run.arrival == 2 * GRID


async def test_a_write_that_fails_at_its_instant_does_not_wait_for_another() -> None:
    run = await asked([ANSWER])
    await run.send(HEAD)

    async def broken(_: ProcessingResponse) -> None:
        raise RuntimeError

    run.pacer.direct.write = broken
    await run.advance(GRID)
    with pytest.raises(RuntimeError):
        await asyncio.wait_for(run.task, 10)
    assert run.timers.now - run.arrival == GRID


async def test_a_stream_begins_and_ends_on_the_grid() -> None:
    """Its header fields wait for the first event; those after it pass as they come."""
    run = await asked(
        [SendResponseHeaders()],
        [SendResponseBody(b"one", end=False)],
        [SendResponseBody(b"two", end=False)],
        [SendResponseBody(b"", end=True)],
    )
    await run.send(HEAD)
    await run.advance(0.375)
    assert run.instants == []
    await run.send(ResponseBody(b"1", end=False))
    await run.advance(0.25)
    assert run.instants == [0.5, 0.5]
    await run.send(ResponseBody(b"2", end=False))
    assert run.instants[2] == 0.625
    await run.send(ResponseBody(b"", end=True))
    await run.advance(0.25)
    assert run.instants[3] == 0.75
    assert run.bodies == [b"one", b"two", b""]
    await run.end()


async def test_trailers_leave_with_what_they_end() -> None:
    run = await asked(
        [SendResponseHeaders()],
        [SendResponseBody(b"one", end=False), SendResponseTrailers()],
    )
    await run.send(HEAD, ResponseTrailers())
    await run.advance(GRID)
    assert run.instants == [GRID] * 3
    await run.end()


async def test_without_a_grid_only_streams_wait() -> None:
    run = await asked([ANSWER], shaping=Shaping(rate=Rate(TICK, 100)))
    await run.advance(STEP)
    await run.send(HEAD)
    assert run.instants == [STEP]
    await run.end()


# What waits is held, and given back.


async def test_what_waits_is_held_until_it_leaves() -> None:
    run = await asked([ANSWER])
    await run.send(HEAD)
    assert run.held.total == len(b"answer")
    await run.advance(GRID)
    assert run.held.total == 0
    await run.end()


async def test_a_client_that_hangs_up_while_its_answer_waits_gets_nothing_and_holds_nothing() -> (
    None
):
    """Envoy's end in the middle of an answer is no clean end: a broken read looks like one too."""
    run = await asked([ANSWER])
    await run.send(HEAD)
    run.incoming.put_nowait(EOF)
    await run.settle()
    with pytest.raises(ProtocolError, match="in the middle"):
        await asyncio.wait_for(run.task, 10)
    assert run.held.total == 0
    await run.advance(1)
    assert run.instants == []


@pytest.mark.parametrize("events", [0, 1, 2, 3])
async def test_a_wait_that_is_cancelled_ends_with_an_error(events: int) -> None:
    """As grpc does when the client is gone, or the drain is over."""
    run = await asked(
        [SendResponseHeaders()],
        [SendResponseBody(b"data: 1\n\n", end=False)],
        [],
        shaping=STEADY,
        filler=EventFiller(),
    )
    sent: list[Event] = [HEAD, ResponseBody(b"1", end=False), ResponseBody(b"2", end=False)]
    await run.send(*sent[:events])
    await run.advance(0.3)
    run.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(run.task, 10)
    assert run.held.total == 0
    assert all(alarm.callback is None for _, _, alarm in run.timers.alarms._heap)
    left = len(run.left)
    await run.advance(1)
    assert len(run.left) == left


async def test_a_read_that_fails_while_an_answer_waits_is_an_error() -> None:
    run = await asked([ANSWER])

    async def broken() -> Any:
        raise RuntimeError

    run.pacer.direct.next = broken
    await run.send(HEAD)
    await run.advance(GRID)
    with pytest.raises(RuntimeError):
        await asyncio.wait_for(run.task, 10)
    assert run.instants == []


async def test_what_would_hold_too_much_is_cut_short() -> None:
    run = await asked(
        [SendResponseHeaders()],
        [SendResponseBody(b"x" * 80, end=False)],
        [SendResponseBody(b"x" * 80, end=False)],
        [],
        shaping=STEADY,
        filler=EventFiller(),
        held=Held(100),
    )
    await run.send(HEAD, ResponseBody(b"1", end=False), ResponseBody(b"2", end=False))
    await run.advance(1)
    assert b"".join(run.bodies).startswith(b"x" * 160 + b"overloaded")
    assert run.held.total == 0
    assert OVERLOADED.status == 503
    await run.end()


async def test_of_what_cannot_leave_yet_no_more_is_read_than_may_wait() -> None:
    """A stream that comes faster than its rate is slowed down at its source."""
    pieces = 50
    run = await asked(
        [SendResponseHeaders()],
        *[[SendResponseBody(b"x" * 100, end=False)]] * pieces,
        [SendResponseBody(b"", end=True)],
        shaping=STEADY,
        filler=EventFiller(),
        cap=500,
    )
    await run.send(HEAD, *[ResponseBody(b"1", end=False)] * pieces, ResponseBody(b"", end=True))
    assert run.held.total == 600
    for _ in range(pieces + 8):
        await run.advance(TICK)
        assert run.held.total <= 600
    assert run.bodies == [b"x" * 100] * pieces + [b":" + b"x" * 97 + b"\n\n"] * (
        len(run.bodies) - pieces
    )
    assert run.machine.done
    await run.end()


async def test_of_a_long_document_no_more_is_read_than_may_wait() -> None:
    piece: list[Action] = [SendResponseHeaders(), SendResponseBody(b"x" * 600, end=False)]
    run = await asked(
        [],
        *[piece] * 9,
        [SendResponseBody(b"", end=True)],
        cap=500,
    )
    await run.send(HEAD, *[ResponseBody(b"1", end=False)] * 9)
    assert run.held.total == 600
    await run.advance(GRID)
    assert run.held.total == 0
    await run.send(ResponseBody(b"", end=True))
    await run.advance(GRID)
    await run.end()


# A constant rate.


async def steady(*, buckets: Buckets | None = None) -> Run:
    shaping = Shaping(grid=Grid(GRID), rate=Rate(TICK, 100), buckets=buckets)
    run = await asked(
        [SendResponseHeaders()],
        [SendResponseBody(b"data: 1\n\n", end=False)],
        [SendResponseBody(b"data: " + b"2" * 200 + b"\n\n", end=False)],
        [SendResponseBody(b"data: 3\n\n", end=True)],
        shaping=shaping,
        filler=EventFiller(),
    )
    await run.send(HEAD)
    return run


async def test_a_stream_leaves_at_every_tick_whatever_comes() -> None:
    run = await steady()
    await run.advance(0.375)
    assert run.instants == []
    await run.send(ResponseBody(b"1", end=False))
    await run.advance(0.3125 + STEP)
    await run.send(ResponseBody(b"2", end=False))
    await run.advance(STEP)
    await run.send(ResponseBody(b"3", end=True))
    await run.advance(1)
    ticks = [0.5 + TICK * count for count in range(len(run.bodies))]
    assert run.instants == [0.5, *ticks]
    assert {len(body) for body in run.bodies} == {100}
    told = [body.startswith(b"data: ") for body in run.bodies[:5]]
    assert told == [True, False, False, False, True]
    assert b"data: 3\n\n" in run.bodies[-1]
    last = run.left[-1][1].response_body.response.body_mutation.streamed_response
    assert last.end_of_stream
    assert run.held.total == 0
    await run.end()


async def test_how_many_ticks_a_stream_takes_is_one_of_few() -> None:
    run = await steady(buckets=Buckets(1000))
    await run.send(
        ResponseBody(b"1", end=False), ResponseBody(b"2", end=False), ResponseBody(b"", end=True)
    )
    await run.advance(3)
    assert len(run.bodies) == 10
    await run.end()


async def test_a_rate_without_a_grid_begins_on_a_tick() -> None:
    run = await asked(
        [SendResponseHeaders()],
        [SendResponseBody(b"data: 1\n\n", end=True)],
        shaping=Shaping(rate=Rate(TICK, 100)),
        filler=EventFiller(),
    )
    await run.advance(2 * TICK + STEP)
    await run.send(HEAD, ResponseBody(b"1", end=True))
    await run.advance(0.25)
    assert run.instants == [3 * TICK, 3 * TICK]
    await run.end()


async def test_trailers_come_after_the_last_tick() -> None:
    run = await asked(
        [SendResponseHeaders()],
        [SendResponseBody(b"data: 1\n\n", end=False)],
        [SendResponseTrailers()],
        shaping=STEADY,
        filler=EventFiller(),
    )
    await run.send(HEAD, ResponseBody(b"1", end=False))
    await run.advance(GRID + STEP)
    await run.send(ResponseTrailers())
    await run.advance(TICK)
    kinds = [sent.WhichOneof("response") for _, sent in run.left[-2:]]
    assert kinds == ["response_body", "response_trailers"]
    ends = [
        sent.response_body.response.body_mutation.streamed_response.end_of_stream
        for _, sent in run.left
    ]
    assert not any(ends)
    assert run.instants[-1] == run.instants[-2] == GRID + TICK
    await run.end()


async def test_a_stream_that_is_cut_off_is_cut_off_on_a_tick() -> None:
    run = await asked(
        [SendResponseHeaders()],
        [SendResponseBody(b"data: 1\n\n", end=False)],
        [Abort("extproc_answer_cut")],
        shaping=STEADY,
        filler=EventFiller(),
    )
    await run.send(HEAD, ResponseBody(b"1", end=False))
    await run.advance(GRID + STEP)
    await run.send(ResponseBody(b"2", end=False))
    await run.advance(2 * STEP)
    assert not run.task.done()
    await run.advance(STEP)
    with pytest.raises(ProtocolError, match="extproc_answer_cut"):
        await asyncio.wait_for(run.task, 10)


async def test_ticks_that_could_not_be_kept_are_left_out_and_the_others_kept() -> None:
    """A client that does not read holds up its own stream alone, and shifts no instant."""
    run = await steady()
    await run.send(ResponseBody(b"1", end=False))
    await run.advance(GRID - STEP)
    run.costs = [2.5 * TICK, 0.0]
    await run.advance(0.5)
    beats = [(at - GRID) / TICK for at in run.instants[1:]]
    assert beats == [0, 2.5, *range(3, 3 + len(beats) - 2)]
    run.task.cancel()


async def test_a_client_too_slow_for_its_ticks_does_not_keep_us_from_reading() -> None:
    run = await steady()
    await run.send(ResponseBody(b"1", end=False))
    await run.advance(GRID - STEP)
    run.costs = [2 * TICK] * 8
    run.incoming.put_nowait(message(ResponseBody(b"2", end=False)))
    run.incoming.put_nowait(message(ResponseBody(b"3", end=True)))
    await run.advance(STEP)
    assert run.machine.done
    await run.advance(1)
    assert b"data: 3\n\n" in b"".join(run.bodies)
    await run.end()


# The name of the exchange.


@pytest.mark.parametrize("action", [ANSWER, REFUSAL, SendResponseHeaders({"vary": "x"})])
async def test_every_answer_tells_by_which_name_its_record_is_found(action: Action) -> None:
    sent: list[ProcessingResponse] = []

    async def write(response: ProcessingResponse) -> None:
        sent.append(response)

    async def read() -> Any:
        return EOF

    for name in ("e1", ""):
        machine = Machine([action])
        await drive(
            machine,
            message(RequestHeaders(end=False)),
            Direct(read, write, name),
            Held(100),
            unreserved,
        )
    named, nameless = sent
    assert ids(named) == ["e1"]
    assert ids(nameless) == []


def ids(sent: ProcessingResponse) -> list[str]:
    headers = (
        sent.immediate_response.headers
        if sent.HasField("immediate_response")
        else sent.response_headers.response.header_mutation
    )
    return [
        one.header.raw_value.decode()
        for one in headers.set_headers
        if one.header.key == "x-request-id"
    ]


async def test_what_is_no_answer_has_no_name() -> None:
    run = await asked([ANSWER], name="e1")
    assert ids(run.left[0][1]) == []
    run.task.cancel()

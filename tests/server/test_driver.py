"""The driver by itself: what it reads, what it writes, whose turn it is, and when it ends."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import grpc
import pytest

from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import (
    ProcessingRequest,
    ProcessingResponse,
)
from extproc.constant_rate import Filler
from extproc.errors import ProtocolError
from extproc.events import (
    Abort,
    Action,
    Event,
    RequestBody,
    RequestHeaders,
    ResponseBody,
    ResponseTrailers,
    SendRequestHeaders,
    SendResponseBody,
    SendResponseHeaders,
    Work,
)
from extproc.exhaustion import Reserving
from extproc.limits import Reserved
from extproc.refusal import OVERLOADED, Refusal
from extproc.server.driver import EOF, SLICE, drive
from extproc.server.held import Held
from extproc.server.pacer import Direct
from tests.playbook import unreserved
from tests.server.wire import message


class Scripted:
    """A machine that does what a test says, and remembers what it was told."""

    filler: Filler | None = None
    reserving: Reserving | None = None

    def __init__(self, answer: Callable[[Event], Sequence[Action]] = lambda _: []) -> None:
        self.answer = answer
        self.events: list[Event] = []
        self.refused: list[Refusal] = []
        self.held = 0
        self.done = True
        self.working = False

    def receive(self, event: Event | Work | Reserved) -> Sequence[Action]:
        if isinstance(event, Work | Reserved):
            return self.work()
        self.events.append(event)
        return self.answer(event)

    def work(self) -> Sequence[Action]:
        raise AssertionError("there is nothing to go on with")

    def refuse(self, refusal: Refusal) -> Sequence[Action]:
        self.refused.append(refusal)
        self.held = 0
        return [SendResponseBody(b"refused", end=True)]


class Connection:
    """Envoy's messages after the first, and what was written to it."""

    def __init__(self, *events: Event) -> None:
        self.unread = [message(event) for event in events]
        self.written: list[str] = []

    @property
    def pacer(self) -> Direct:
        return Direct(self.read, self.write)

    async def read(self) -> Any:
        return self.unread.pop(0) if self.unread else EOF

    async def write(self, response: ProcessingResponse) -> None:
        self.written.append(str(response.WhichOneof("response")))


async def driven(machine: Scripted, *events: Event, held: Held | None = None) -> Connection:
    first, *others = events
    connection = Connection(*others)
    counted = Held(1 << 30) if held is None else held
    await drive(machine, message(first), connection.pacer, counted, unreserved)
    return connection


async def test_every_message_is_told_and_every_answer_sent_in_order() -> None:
    events: list[Event] = [
        RequestHeaders(end=False),
        RequestBody(b"a", end=True),
        ResponseTrailers(),
    ]
    machine = Scripted(lambda event: [SendRequestHeaders(), SendResponseBody(b"x", end=False)])
    connection = await driven(machine, *events)
    assert machine.events == events
    assert connection.written == ["request_headers", "response_body"] * 3


async def test_it_goes_on_reading_whatever_the_machine_has_to_say() -> None:
    events = [RequestBody(b"a", end=True)] * 50
    machine = Scripted()
    connection = await driven(machine, *events)
    assert (len(machine.events), connection.unread) == (50, [])


@pytest.mark.parametrize("end", [False, True])
@pytest.mark.parametrize("size", [0, 1, SLICE - 1, SLICE, SLICE + 1, 3 * SLICE, 1 << 20])
async def test_a_large_piece_of_an_answer_is_told_in_slices(size: int, *, end: bool) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    machine = Scripted()
    await driven(machine, ResponseBody(data, end=end))
    slices = [event for event in machine.events if isinstance(event, ResponseBody)]
    assert b"".join(event.data for event in slices) == data
    assert all(len(event.data) <= SLICE for event in slices)
    assert len(slices) == max(1, -(-size // SLICE))
    assert [event.end for event in slices] == [False] * (len(slices) - 1) + [end]


async def test_a_request_is_told_as_it_came() -> None:
    machine = Scripted()
    await driven(machine, RequestBody(b"x" * (1 << 20), end=True))
    assert machine.events == [RequestBody(b"x" * (1 << 20), end=True)]


async def turns_of_others(*events: Event) -> list[int]:
    """How often another task had its turn, whenever the machine is told something."""
    turns, seen = 0, list[int]()

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def told(_: Event) -> Sequence[Action]:
        seen.append(turns)
        return []

    beside = asyncio.create_task(other())
    await driven(Scripted(told), *events)
    beside.cancel()
    return seen


async def test_others_get_their_turn_between_the_slices_of_a_large_answer() -> None:
    """Counted, not timed."""
    turns = await turns_of_others(ResponseBody(b"x" * (1 << 20), end=True))
    assert len(turns) == (1 << 20) // SLICE
    assert all(earlier < later for earlier, later in pairwise(turns))


async def test_grpc_lets_others_have_a_turn_at_every_read(tmp_path: Path) -> None:
    """Why the driver gives way between slices alone, and not between messages."""
    turns: list[bool] = []

    async def handle(_: object, context: Any) -> None:
        while True:
            had = asyncio.Event()
            asyncio.get_running_loop().call_soon(had.set)
            if await context.read() is grpc.aio.EOF:  # type: ignore[attr-defined]
                return
            turns.append(had.is_set())

    server = grpc.aio.server()
    method = grpc.stream_stream_rpc_method_handler(handle)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("s", {"m": method}),))
    address = f"unix:{tmp_path}/s"
    server.add_insecure_port(address)
    await server.start()
    async with grpc.aio.insecure_channel(address) as channel:
        call = channel.stream_stream("/s/m")(timeout=10)  # type: ignore[call-arg]
        for _ in range(50):
            await call.write(b"x")
        await call.done_writing()
        assert await call.code() is grpc.StatusCode.OK
    await server.stop(grace=0)
    assert turns == [True] * 50


async def test_an_end_in_the_middle_of_an_exchange_is_an_error() -> None:
    machine = Scripted()
    machine.done = False
    with pytest.raises(ProtocolError, match="in the middle"):
        await driven(machine, RequestHeaders(end=False))


async def test_an_abort_is_an_error_and_what_was_said_before_it_is_sent() -> None:
    actions: list[Action] = [
        SendResponseHeaders(),
        Abort("extproc_answer_cut"),
        SendResponseHeaders(),
    ]
    machine = Scripted(lambda _: actions)
    connection = Connection(ResponseTrailers())
    with pytest.raises(ProtocolError, match="extproc_answer_cut"):
        await drive(
            machine,
            message(RequestHeaders(end=False)),
            connection.pacer,
            Held(100),
            unreserved,
        )
    assert connection.written == ["response_headers"]
    assert len(connection.unread) == 1


async def test_a_message_that_is_none_is_an_error() -> None:
    connection = Connection()
    with pytest.raises(ProtocolError):
        await drive(Scripted(), ProcessingRequest(), connection.pacer, Held(100), unreserved)


async def test_others_get_their_turn_between_the_steps_of_long_work() -> None:
    class Working(Scripted):
        left = 5

        def receive(self, event: Event | Work | Reserved) -> Sequence[Action]:
            actions = super().receive(event)
            self.working = self.left > 0
            return actions

        def work(self) -> Sequence[Action]:
            self.left -= 1
            turns.append(self.left)
            return [] if self.left else [SendResponseBody(b"done", end=True)]

    turns: list[int] = []

    async def other() -> None:
        while True:
            turns.append(-1)
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    connection = await driven(Working(), ResponseBody(b"x", end=True))
    task.cancel()
    assert [turn for turn in turns if turn >= 0] == [4, 3, 2, 1, 0]
    first, last = turns.index(4), turns.index(0)
    assert turns[first:last] == [4, -1, 3, -1, 2, -1, 1, -1]
    assert len(connection.written) == 1


# What is held.


def keeps(machine: Scripted) -> Callable[[Event], Sequence[Action]]:
    def told(event: Event) -> Sequence[Action]:
        machine.held += len(getattr(event, "data", b""))
        return [SendRequestHeaders()]

    return told


async def test_what_a_machine_holds_is_counted_while_it_runs() -> None:
    held, machine, seen = Held(100), Scripted(), list[int]()

    def told(event: Event) -> Sequence[Action]:
        seen.append(held.total)
        return keeps(machine)(event)

    machine.answer = told
    await driven(machine, *[RequestBody(b"x" * 30, end=False)] * 3, held=held)
    assert seen == [0, 30, 60]
    assert (held.total, machine.refused) == (0, [])


async def test_what_grows_above_the_cap_is_refused_after_what_was_said() -> None:
    held, machine = Held(100), Scripted()
    held.share().keep(80)
    machine.answer = keeps(machine)
    connection = await driven(machine, RequestBody(b"x" * 21, end=False), held=held)
    assert machine.refused == [OVERLOADED]
    assert connection.written == ["request_headers", "response_body"]
    assert held.total == 80


@pytest.mark.parametrize("where", ["receive", "refuse", "read", "write", "cancel"])
async def test_what_was_held_is_given_back_however_it_ends(where: str) -> None:
    held, machine = Held(50), Scripted()
    machine.answer = keeps(machine)
    connection = Connection(RequestBody(b"y" * 20, end=False))
    fault: type[BaseException] = asyncio.CancelledError if where == "cancel" else RuntimeError

    def fail(*_: object) -> Sequence[Action]:
        raise fault

    async def fail_later(*_: object) -> None:
        raise fault

    write, read = connection.write, connection.read
    if where == "receive":
        machine.answer = lambda event: keeps(machine)(event) if not machine.events[1:] else fail()
    elif where == "refuse":
        held.share().keep(25)
        machine.refuse = fail  # type: ignore[assignment, method-assign]
    elif where == "write":
        write = fail_later  # type: ignore[assignment]
    else:
        read = fail_later
    before = held.total
    first = message(RequestBody(b"x" * 30, end=False))
    with pytest.raises(fault):
        await drive(machine, first, Direct(read, write), held, unreserved)
    assert held.total == before

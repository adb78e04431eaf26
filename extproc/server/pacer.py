"""When what a machine says goes to Envoy: at once, or when the policy's shaping says so.

Rule: what a client could see of an answer, its first bytes, its end, a refusal or a fault, leaves
at an instant that was counted from the arrival of the request, or does not leave.  A stream at a
constant rate leaves at every tick from then on.  Instants are absolute: nothing is late because
something else was.  What waits is counted as held, is dropped when the client goes, and is released
at its instant while the sidecar drains.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol

from msgspec import structs

from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import ProcessingResponse
from extproc.constant_rate import ConstantRate, Filler
from extproc.events import (
    Abort,
    Action,
    Headers,
    ReplaceRequest,
    ReplaceResponse,
    Respond,
    SendRequestBody,
    SendRequestHeaders,
    SendRequestTrailers,
    SendResponseBody,
    SendResponseHeaders,
)
from extproc.response_headers import REQUEST_ID
from extproc.server import protobuf
from extproc.server.alarms import Alarm, Alarms
from extproc.server.verdict import Verdict
from extproc.shaping import Grid, Shaping

Read = Callable[[], Awaitable[Any]]
"""The next message of Envoy's, or EOF when it has ended its side."""
Write = Callable[[ProcessingResponse], Awaitable[None]]

LEFT: Final = None
"""In place of a message: no message came, and less is held."""


class Speaker(Protocol):
    """Whose words leave: the driver's machine."""

    @property
    def done(self) -> bool: ...

    @property
    def filler(self) -> Filler | None:
        """What fills its answer up, where that is a stream that leaves at a constant rate."""
        ...


class Pacer(Protocol):
    """The two directions of one exchange."""

    @property
    def held(self) -> int:
        """Bytes of bodies that wait."""
        ...

    @property
    def waiting(self) -> bool:
        """Whether something has been said that has not left."""
        ...

    def send(self, actions: Sequence[Action], speaker: Speaker) -> Awaitable[None]:
        """Have them leave, in this order, now or when it is time."""
        ...

    def next(self) -> Awaitable[Any]:
        """Envoy's next message, EOF, or LEFT."""
        ...

    def fault(self) -> Awaitable[None]:
        """Return at the instant at which an answer would have left, and say nothing more."""
        ...

    def close(self) -> None:
        """Drop what waits."""
        ...


class Direct:
    """Everything leaves at once."""

    held = 0
    waiting = False

    def __init__(
        self, read: Read, write: Write, name: str = "", verdict: Verdict | None = None
    ) -> None:
        self.next = read
        self.write = write
        self._id = {REQUEST_ID: name} if name else {}
        """The exchange's name, in the header fields of its answer."""
        self._verdict = verdict
        """What is to be told to Envoy, once."""

    async def send(self, actions: Sequence[Action], speaker: Speaker) -> None:
        for action in actions:
            await self.say(action)

    def say(self, action: Action) -> Awaitable[None]:
        """Raise ProtocolError for Abort."""
        if self._id and isinstance(action, _NAMED):
            action = _named(action, self._id)
        message = protobuf.reply(action)
        if self._verdict is not None and self._verdict.known:
            self._verdict.tell(message)
            self._verdict = None
        return self.write(message)

    async def fault(self) -> None:
        pass

    def close(self) -> None:
        pass


_NAMED = (SendResponseHeaders, ReplaceResponse, Respond)


def _named(action: SendResponseHeaders | ReplaceResponse | Respond, name: Headers) -> Action:
    """With one more header field for the client."""
    if isinstance(action, Respond):
        return structs.replace(action, headers={**action.headers, **name})
    return structs.replace(action, set_headers={**action.set_headers, **name})


class Paced:
    """What goes to the client waits for its instant, and Envoy's messages are read meanwhile."""

    def __init__(
        self, direct: Direct, shaping: Shaping, arrival: float, alarms: Alarms, cap: int
    ) -> None:
        self.direct, self._alarms = direct, alarms
        self._shaping, self._arrival = shaping, arrival
        self._cap = cap
        """Bytes of a stream that wait before no more of it is read."""
        self._queue: list[Action] = []
        self._stream: ConstantRate | None = None
        self._blank: ProcessingResponse | None = None
        self._last: Action | None = None
        """What follows the last byte of that stream."""
        self._opened: float | None = None
        """The instant at which the first bytes left; on the alarms' clock, as the others are."""
        self._due: float | None = None
        self._alarm: Alarm | None = None
        self._reading: asyncio.Future[Any] | None = None
        self._wake: asyncio.Future[None] | None = None
        self._done = False
        """Whether the last has been said."""
        self._leaving = False
        self._told = True
        """Whether a message had the last turn."""

    @property
    def held(self) -> int:
        content = self._stream.held if self._stream is not None else 0
        return content + sum(map(_size, self._queue))

    @property
    def waiting(self) -> bool:
        return bool(self._queue) or self._stream is not None

    async def send(self, actions: Sequence[Action], speaker: Speaker) -> None:
        for action in actions:
            if isinstance(action, _ONWARD):
                await self.direct.say(action)
            else:
                self._keep(action, speaker.filler)
        self._done = speaker.done
        self._plan()
        if self._is_due():
            await self._leave()

    async def next(self) -> Any:
        """A read is never given up for an instant: grpc would lose what it has read.

        Where both are there each has its turn, so that a client too slow for its ticks does not
        keep us from reading.
        """
        if self._due is None and self._reading is None:
            return await self.direct.next()
        while True:
            reading, due = self._read(), self._is_due()
            if reading.done() and not self._full() and not (due and self._told):
                self._reading, self._told = None, True
                return reading.result()
            if due:
                self._told = False
                held = self.held
                await self._leave()
                if held:
                    return LEFT
            else:
                await self._woken()

    def _read(self) -> asyncio.Future[Any]:
        if self._reading is None:
            self._reading = asyncio.ensure_future(self.direct.next())
            self._reading.add_done_callback(self._ring)
        return self._reading

    async def fault(self) -> None:
        self._queue, self._stream = [], None
        if self._leaving:
            return
        if self._due is None:
            self._set(self._instant())
        while not self._is_due():
            await self._woken()

    def close(self) -> None:
        self._queue, self._stream = [], None
        if self._alarm is not None:
            self._alarm.cancel()
        if self._reading is not None and not self._reading.cancel():
            self._reading.exception()  # seen: what it read concerns nobody any more

    def _keep(self, action: Action, filler: Filler | None) -> None:
        """Put an action where it waits."""
        rate = self._shaping.rate
        if filler is None or rate is None or isinstance(action, SendResponseHeaders):
            self._queue.append(action)
            return
        if self._stream is None:
            self._stream = ConstantRate(rate, filler, self._shaping.buckets)
        if isinstance(action, SendResponseBody):
            self._stream.feed(action.data)
            if action.end:
                self._stream.finish()
        else:
            self._last = action
            self._stream.finish()

    def _plan(self) -> None:
        """Choose the instant for what waits, where none is chosen."""
        if self._due is not None or not self.waiting:
            return
        if self._opened is None and not self._done and not self.held:
            return  # a stream's header fields wait for its first content
        if self._opened is None or self._done:
            self._set(self._instant())
        else:
            self._due = self._alarms.clock()

    def _instant(self) -> float:
        """The next at which an answer may begin or end."""
        now = self._alarms.clock()
        grid, rate = self._shaping.grid, self._shaping.rate
        if grid is None and rate is not None and self._stream is not None:
            grid = Grid(rate.tick)
        return grid.after(self._arrival, now) if grid is not None else now

    def _set(self, instant: float) -> None:
        self._due = instant
        self._alarm = self._alarms.at(instant, self._ring)

    def _is_due(self) -> bool:
        return self._due is not None and self._due <= self._alarms.clock()

    def _full(self) -> bool:
        """Whether more would be too much; after the last there is only the end to hear of."""
        return not self._done and self.held > self._cap

    async def _leave(self) -> None:
        """It is time."""
        due, self._due = self._due, None
        assert due is not None
        self._leaving = True
        if self._opened is None:
            self._opened = due
        queue, self._queue = self._queue, []
        for action in queue:
            await self.direct.say(action)
        if self._stream is not None:
            await self._tick(self._stream, due)
        self._leaving = False

    async def _tick(self, stream: ConstantRate, due: float) -> None:
        if isinstance(self._last, Abort):
            await self.direct.say(self._last)
        data = stream.tick()
        if not stream.done:
            self._set(self._after(due))
            await self.direct.write(self._piece(data, stream))
            return
        await self.direct.say(SendResponseBody(data, end=self._last is None))
        self._stream = None
        if self._last is not None:
            await self.direct.say(self._last)

    def _piece(self, data: bytes, stream: ConstantRate) -> ProcessingResponse:
        """The message of a tick; of those without content, of which there are most, one serves."""
        if data is not stream.blank:
            return protobuf.reply(SendResponseBody(data, end=False))
        if self._blank is None:
            self._blank = protobuf.reply(SendResponseBody(data, end=False))
        return self._blank

    def _after(self, due: float) -> float:
        """The next tick that can still be kept."""
        rate, opened = self._shaping.rate, self._opened
        assert rate is not None
        assert opened is not None
        following, now = due + rate.tick, self._alarms.clock()
        return following if following > now else Grid(rate.tick).after(opened, now)

    def _ring(self, _: object = None) -> None:
        """Something has come: an instant, or a message."""
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def _woken(self) -> None:
        self._wake = asyncio.get_running_loop().create_future()
        await self._wake


_ONWARD = (SendRequestHeaders, ReplaceRequest, SendRequestBody, SendRequestTrailers)
"""What goes to the model server: of when it does, the client sees nothing."""


def _size(action: Action) -> int:
    match action:
        case SendResponseBody(data) | ReplaceResponse(body=data) | Respond(body=data):
            return len(data)
        case _:
            return 0

"""One connection to a Redis, on which any number of calls are under way.

Rules: commands of one turn of the event loop leave in one write; replies come in the order of the
commands (RESP, "Pipelining").  No call waits beyond its time, which begins when it leaves: a loop
that is busy is no fault of the store's.  A reply that comes too late is thrown away; where none
comes while several calls run out of time, the connection is given up.
"""

import asyncio
import itertools
import math
import time
from collections import deque
from typing import Any, Final, cast

import hiredis

from extproc.errors import StoreUnavailable

LATE: Final = 3
"""So many calls in a row without an answer in time, and the connection is given up."""
_LOOK: Final = 0.001
"""Seconds in which the loop reads what is there."""
WAITING: Final = 10_000
"""Calls that may be under way; each is of some 1,000 bytes."""


class _Call:
    __slots__ = ("future", "until")

    def __init__(self, until: float, future: asyncio.Future[Any]) -> None:
        self.until, self.future = until, future


class Connection(asyncio.Protocol):
    """Make with loop.create_connection; then ``call``."""

    def __init__(self) -> None:
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the connection is."""
        self.writes = 0
        """Each takes a round trip."""
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader()
        self._transport: asyncio.Transport | None = None
        self._out: list[bytes] = []
        self._turn = 0.0
        """When the first of them was called, by the loop's time, which stands while it is busy."""
        self._waiting: deque[_Call] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._late = 0
        self._looked = 0.0
        """Which calls run out of time by then: after that replies are looked for."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's derives from another

    def call(self, command: bytes, until: float) -> asyncio.Future[Any]:
        """The reply to a packed command; StoreUnavailable where it does not come until then, by the
        loop's clock.  A reply that is an error is a result of class hiredis.ReplyError.
        """
        future: asyncio.Future[Any] = self._loop.create_future()
        if self._transport is None or len(self._waiting) >= WAITING:
            full = "the connection is lost" if self._transport is None else "too many calls wait"
            future.set_exception(StoreUnavailable(full))
            return future
        if not self._out:
            self._turn = self._loop.time()
            self._loop.call_soon(self._send)
        self._out.append(command)
        self._waiting.append(_Call(until, future))
        return future

    def close(self) -> None:
        """At once; what waits fails."""
        if self._transport is not None:
            self._transport.abort()
            self.connection_lost(None)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not False:
                future = self._waiting.popleft().future
                if not future.done():
                    self._late = 0
                    future.set_result(reply)
        except (hiredis.ProtocolError, IndexError):
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._out.clear()
        if self._timer is not None:
            self._timer.cancel()
        if not self.lost.done():
            self.lost.set_result(None)
        while self._waiting:
            future = self._waiting.popleft().future
            if not future.done():
                future.set_exception(StoreUnavailable("the connection is lost"))

    def _send(self) -> None:
        if self._transport is None or not self._out:
            return
        busy, first = max(0.0, time.monotonic() - self._turn), len(self._waiting) - len(self._out)
        for call in itertools.islice(self._waiting, first, None):
            call.until += busy
            self._watch(call.until)
        self.writes += 1
        self._transport.write(b"".join(self._out))
        self._out.clear()

    def _overdue(self) -> None:
        """Fail the calls that ran out of time before replies were last looked for: a loop that was
        busy may come to its timers before it has read what is there.  Wait for the next.
        """
        self._timer = None
        looked, now = self._looked, self._loop.time()
        self._looked, following = now, math.inf
        for call in self._waiting:
            if call.future.done():
                continue
            if call.until <= looked:
                self._late += 1
                call.future.set_exception(StoreUnavailable("no answer in time"))
            else:
                following = min(following, max(call.until, now + _LOOK))
        if self._late >= LATE:
            self.close()
        elif following < math.inf:
            self._watch(following)

    def _watch(self, until: float) -> None:
        """Look then at the latest what has run out of time."""
        if self._timer is not None:
            if self._timer.when() <= until:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(until, self._overdue)

"""The load: HTTP/1.1 over keep-alive connections on one event loop, a request at a time on each.

Rule: an answer that is not what was expected ends the benchmark; figures of failing requests
compare nothing.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from tests.bench.bodies import MARK
from tests.bench.figures import BenchmarkError

_LENGTH: Final = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_LAST_CHUNK: Final = b"\r\n0\r\n\r\n"
_CONNECTING: Final = 100
"""Connections opened at once."""
_PATIENCE: Final = 60.0
"""Seconds that answers may take beyond what was planned."""


class Connection(asyncio.Protocol):
    """Counts what comes back; ``failed`` is told once where it is not an answer as expected."""

    def __init__(self, expected: int, failed: Callable[[str], None]) -> None:
        self.marks = 0
        """Events that came, over all answers."""
        self._expected = b"HTTP/1.1 %d " % expected
        self._failed = failed
        self._transport: Any = None
        self._answered: Callable[[Connection], None] | None = None
        self._begun: Callable[[Connection], None] | None = None
        self._head = b""
        self._left: int | None = None
        """Bytes of the body to come; negative where it comes in chunks; None before it."""
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if self._answered is not None:
            self._failed("a connection was lost before its answer")

    def ask(
        self,
        request: bytes,
        answered: Callable[["Connection"], None],
        begun: Callable[["Connection"], None] | None = None,
    ) -> None:
        """Send a request; ``begun`` is called with the first bytes of its answer's body."""
        self._answered, self._begun = answered, begun
        self._head, self._left, self._tail = b"", None, b""
        self._transport.write(request)

    def close(self) -> None:
        self._answered = None
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._left is None:
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(self._expected):
                self._failed(f"unexpected answer: {head[:200]!r} {data[:200]!r}")
                return
            found = _LENGTH.search(head)
            self._left = int(found[1]) if found else -1
        if self._whole(data) and (answered := self._answered) is not None:
            self._answered = None
            answered(self)

    def _whole(self, data: bytes) -> bool:
        """Take a piece of the body; tell whether it was the last."""
        assert self._left is not None
        self.marks += data.count(MARK)
        if data and self._begun is not None:
            begun, self._begun = self._begun, None
            begun(self)
        if self._left >= 0:
            self._left -= len(data)
            return self._left == 0
        self._tail = (self._tail + data[-len(_LAST_CHUNK) :])[-len(_LAST_CHUNK) :]
        return self._tail == _LAST_CHUNK


class Pool:
    """Connections that all ask the same."""

    def __init__(self, request: bytes) -> None:
        self.connections: list[Connection] = []
        self.request = request
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def marks(self) -> int:
        return sum(connection.marks for connection in self.connections)

    def fail(self, why: str) -> None:
        if not self._done.done():
            self._done.set_exception(BenchmarkError(why))

    async def once(self) -> None:
        """Each asks once: connections and caches behind it are warm then."""
        await self.closed(0)

    async def closed(self, seconds: float) -> int:
        """Ask again as soon as the answer is there; returns how many were answered."""
        end = time.perf_counter() + seconds
        count, running = 0, len(self.connections)

        def answered(connection: Connection) -> None:
            nonlocal count, running
            count += 1
            if time.perf_counter() < end:
                connection.ask(self.request, answered)
                return
            running -= 1
            if not running:
                self.succeed()

        for connection in self.connections:
            connection.ask(self.request, answered)
        await self.wait(seconds)
        return count

    async def begin(self, at_once: int) -> "asyncio.Future[None]":
        """Ask for streams, so many at a time; returns when each has begun, with their end."""
        ended = asyncio.get_running_loop().create_future()
        running = len(self.connections)

        def answered(_: Connection) -> None:
            nonlocal running
            running -= 1
            if not running and not ended.done():
                ended.set_result(None)

        for start in range(0, len(self.connections), at_once):
            await self._begin(self.connections[start : start + at_once], answered)
        return ended

    async def _begin(
        self, connections: list[Connection], answered: Callable[[Connection], None]
    ) -> None:
        missing = len(connections)

        def begun(_: Connection) -> None:
            nonlocal missing
            missing -= 1
            if not missing:
                self.succeed()

        for connection in connections:
            connection.ask(self.request, answered, begun)
        await self.wait(0)

    def succeed(self) -> None:
        if not self._done.done():
            self._done.set_result(None)

    async def until(self, ended: "asyncio.Future[None]", seconds: float) -> None:
        """Wait for the end that ``begin`` returned, as ``wait`` does."""
        ended.add_done_callback(lambda _: self.succeed())
        await self.wait(seconds)

    async def wait(self, seconds: float) -> None:
        """Wait for ``succeed``, somewhat longer than planned.  Raise BenchmarkError on failure."""
        try:
            await asyncio.wait_for(self._done, seconds + _PATIENCE)
        except TimeoutError:
            raise BenchmarkError("answers are missing") from None
        self._done = asyncio.get_running_loop().create_future()


@asynccontextmanager
async def pool(
    port: int, request: bytes, connections: int, expected: int = 200
) -> AsyncIterator[Pool]:
    """Open connections to a listener on 127.0.0.1; ``expected`` is the status of every answer."""
    loop, opened = asyncio.get_running_loop(), Pool(request)

    async def connect() -> Connection:
        _, connection = await loop.create_connection(
            lambda: Connection(expected, opened.fail), "127.0.0.1", port
        )
        return connection

    try:
        while (missing := connections - len(opened.connections)) > 0:
            batch = [connect() for _ in range(min(_CONNECTING, missing))]
            opened.connections += await asyncio.gather(*batch)
        yield opened
    finally:
        for connection in opened.connections:
            connection.close()

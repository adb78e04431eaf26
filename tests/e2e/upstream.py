"""A model server that does what a test tells it, byte by byte, over plain HTTP/1.1.

It runs an event loop in a thread.  A script gets the request and a writer and may do anything to
the connection: answer, stop half-way, reset it.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

T = TypeVar("T")

Script = Callable[["Request", "Reply"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    trailers: dict[str, str] = field(default_factory=dict)


class Reply:
    """The connection to the gateway, with the usual things to write to it."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer

    async def raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def document(
        self,
        body: bytes,
        *,
        status: int = 200,
        content_type: str = "application/json",
        **headers: str,
    ) -> None:
        """A whole answer with its content-length."""
        await self.head(
            status, {"content-type": content_type, "content-length": str(len(body)), **headers}
        )
        await self.raw(body)

    async def head(self, status: int, headers: dict[str, str]) -> None:
        await self.raw(f"HTTP/1.1 {status} Reason\r\n{_lines(headers)}\r\n".encode())

    async def stream_head(self, content_type: str = "text/event-stream", **headers: str) -> None:
        await self.head(
            200, {"content-type": content_type, "transfer-encoding": "chunked", **headers}
        )

    async def chunk(self, data: bytes) -> None:
        if data:
            await self.raw(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    async def end(self, **trailers: str) -> None:
        await self.raw(f"0\r\n{_lines(trailers)}\r\n".encode())

    def reset(self) -> None:
        """Drop the connection without a goodbye."""
        self.writer.transport.abort()


class Upstream:
    """``script`` answers every request; ``requests`` holds what arrived, whole requests only."""

    def __init__(self) -> None:
        self.script: Script = _not_scripted
        self.requests: list[Request] = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=4096))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._loop.call_soon_threadsafe(self._server.close)
        self._call(self._stop_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def event(self) -> asyncio.Event:
        """An event for scripts to wait for; set it with ``release``."""
        return asyncio.Event()

    def release(self, event: asyncio.Event) -> None:
        self._loop.call_soon_threadsafe(event.set)

    def wait(self, event: asyncio.Event) -> None:
        """Wait until a script has set the event; fails after ten seconds."""
        self._call(event.wait())

    def _call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=10)

    async def _stop_tasks(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await _read(reader):
                self.requests.append(request)
                await self.script(request, Reply(writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the gateway dropped the connection, or the script did
        finally:
            writer.close()


def answering(body: bytes, **kwargs: Any) -> Script:
    """The script that gives every request this document."""

    async def script(request: Request, reply: Reply) -> None:
        await reply.document(body, **kwargs)

    return script


def streaming(*chunks: bytes) -> Script:
    """The script that gives every request these pieces of an event stream."""

    async def script(request: Request, reply: Reply) -> None:
        await reply.stream_head()
        for chunk in chunks:
            await reply.chunk(chunk)
        await reply.end()

    return script


async def _not_scripted(request: Request, reply: Reply) -> None:
    await reply.document(b'{"error":"no script"}', status=500)


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    start, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, path, _ = start.split(" ", 2)
    headers = _fields(lines)
    if headers.get("transfer-encoding") == "chunked":
        body, trailers = await _read_chunks(reader)
        return Request(method, path, headers, body, trailers)
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, body)


async def _read_chunks(reader: asyncio.StreamReader) -> tuple[bytes, dict[str, str]]:
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    lines = []
    while (line := (await reader.readline()).decode("latin-1").strip()) != "":
        lines.append(line)
    return body, _fields(lines)


def _lines(fields: dict[str, str]) -> str:
    return "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())


def _fields(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}

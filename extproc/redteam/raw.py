"""One HTTP exchange as bytes, for what no polite client would send.

Rule: a connection of its own for each, which ends with the answer; what was received counts as far
as it can be read, for an attacker reads it too.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

from extproc.redteam.request import Reply, Request

SECONDS: Final = 3.0
"""That one exchange may take."""
MAX_ANSWER: Final = 4 * 1024 * 1024
"""Bytes; what comes after them is not read."""
_PIECE: Final = 64 * 1024

Enough = Callable[[Reply], bool]


def rendered(
    request: Request, host: str, headers: Mapping[str, str], version: str = "HTTP/1.1"
) -> bytes:
    """A request as it stands on the wire; ``headers`` come beside its own, and go before them."""
    fields = {"host": host, "connection": "close", **request.headers, **headers}
    fields.setdefault("content-length", str(len(request.body)))
    lines = [
        f"{request.method} {request.path} {version}",
        *(f"{k}: {v}" for k, v in fields.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + request.body


async def exchange(url: str, data: bytes, enough: Enough = lambda _: False) -> Reply:
    """Send the bytes, and read until the answer ends, or hang up when it is ``enough``."""
    began, received = monotonic(), bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            await _converse(url, data, received, enough)
    except (OSError, TimeoutError):
        pass
    now = monotonic() - began
    return replace(read(bytes(received)), began=now, ended=now)


def read(received: bytes) -> Reply:
    """The first final answer in what was received; status 0 where there is none."""
    head, _, rest = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if not words[0].startswith("HTTP/") or len(words) < 2 or not words[1].isdigit():
        return Reply(0, (), b"", 0.0, 0.0)
    status = int(words[1])
    if 100 <= status < 200:
        return read(rest)
    fields = tuple((k.strip().lower(), v.strip()) for k, _, v in (x.partition(":") for x in lines))
    return Reply(status, fields, _body(fields, rest), 0.0, 0.0)


def whole(received: bytes) -> bool:
    """Whether an answer has come to its end, by its own account."""
    reply = read(received)
    if not reply.status:
        return False
    if "chunked" in (reply.header("transfer-encoding") or ""):
        return received.endswith(b"\r\n0\r\n\r\n")
    length = reply.header("content-length") or ""
    return length.isdigit() and len(reply.body) == int(length)


async def _converse(url: str, data: bytes, received: bytearray, enough: Enough) -> None:
    at = urlsplit(url)
    secure = ssl.create_default_context() if at.scheme == "https" else None
    port = at.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(at.hostname, port, ssl=secure)
    try:
        writer.write(data)
        while piece := await reader.read(_PIECE):
            received += piece
            if (
                len(received) > MAX_ANSWER
                or whole(bytes(received))
                or enough(read(bytes(received)))
            ):
                return
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


def _body(fields: tuple[tuple[str, str], ...], rest: bytes) -> bytes:
    named = dict(fields)
    if "chunked" in named.get("transfer-encoding", ""):
        return _joined(rest)
    length = named.get("content-length", "")
    return rest[: int(length)] if length.isdigit() else rest


def _joined(rest: bytes) -> bytes:
    """Chunks, as far as they have come."""
    body = bytearray()
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        try:
            length = int(size.split(b";")[0], 16)
        except ValueError:
            break
        if not length:
            break
        body += rest[:length]
        rest = rest[length + 2 :]
    return bytes(body)

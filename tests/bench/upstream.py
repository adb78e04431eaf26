"""A model server that costs next to nothing; it prints its port.

It reads as little of a request as it can: where it ends, and which model it asks.
"""

import asyncio
import gc
import re
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import uvloop

from tests.bench import bodies

_MODEL: Final = re.compile(rb'"model":"(\w+)"')
_LENGTH: Final = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_STREAM: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)


class Connection(asyncio.Protocol):
    """One request at a time; Envoy sends no second one before it has the answer."""

    def __init__(self, answers: dict[bytes, bytes]) -> None:
        self._answers = answers
        self._request = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._request += data
        if not _whole(self._request):
            return
        found = _MODEL.search(self._request)
        model = found[1] if found else b""
        self._request = b""
        if model in self._answers:
            self._transport.write(self._answers[model])
        elif model in {b"paced", b"idle"}:
            self._begin(model)
        else:
            self._transport.abort()

    def _begin(self, model: bytes) -> None:
        event = bodies.event(model.decode())
        chunk = b"%x\r\n%b\r\n" % (len(event), event)
        self._transport.write(_STREAM + chunk)
        if model == b"paced":
            again = partial(self._continue, chunk, bodies.EVENTS - 1)
            asyncio.get_running_loop().call_later(bodies.PAUSE, again)

    def _continue(self, chunk: bytes, left: int) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(chunk if left > 1 else chunk + b"0\r\n\r\n")
        if left > 1:
            again = partial(self._continue, chunk, left - 1)
            asyncio.get_running_loop().call_later(bodies.EVENT_EVERY, again)


def _whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    if not end:
        return False
    found = _LENGTH.search(head)
    return len(body) >= int(found[1]) if found else body.endswith(b"0\r\n\r\n")


def _documents(answers: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """Whole responses."""
    head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n"
    return {model: head.format(len(body)).encode() + body for model, body in answers.items()}


async def listen(answers: Mapping[bytes, bytes]) -> asyncio.Server:
    """Serve these documents, by model, on a port of 127.0.0.1 that the kernel chooses."""
    connect = partial(Connection, _documents(answers))
    return await asyncio.get_running_loop().create_server(connect, "127.0.0.1", 0, backlog=4096)


async def serve() -> None:
    server = await listen(bodies.answers())
    gc.freeze()
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())

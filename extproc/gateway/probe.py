"""Questions to processes that are starting: does it listen, is it ready, where?"""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from typing import Final

from extproc.envoyconf.settings import Address, Pipe, Socket, Upstream
from extproc.errors import ConfigError
from extproc.gateway.process import Child

_PATIENCE: Final = 30.0
"""Seconds a process has to get ready."""
_PAUSE: Final = 0.02
_CONNECT: Final = 2.0
_LONGEST_ANSWER: Final = 1 << 20


async def answers(address: Address) -> bool:
    """Whether somebody listens there."""
    try:
        _, writer = await asyncio.wait_for(_open(address), _CONNECT)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True


async def _open(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    match address:
        case Pipe(path):
            return await asyncio.open_unix_connection(path)
        case Socket(host, port):
            return await asyncio.open_connection(host, port)


async def until(ready: Callable[[], Awaitable[bool]], child: Child) -> None:
    """Ask again and again.  Raise ChildDied when it ends, ConfigError when it takes too long."""
    deadline = asyncio.get_running_loop().time() + _PATIENCE
    while not await ready():
        if not child.alive:
            raise await child.wait()
        if asyncio.get_running_loop().time() > deadline:
            raise ConfigError(f"{child.name} is not ready after {_PATIENCE:.0f} seconds")
        await asyncio.sleep(_PAUSE)


async def ready(server: Socket, path: str = "/ready") -> bool:
    """Whether this page says so; Envoy's is the default."""
    status, _ = await _get(server, path)
    return status == 200


def free_port() -> int:
    """A port of loopback that nobody has now; who starts there says so if it is taken meanwhile."""
    with socket.socket() as probed:
        probed.bind(("127.0.0.1", 0))
        port: int = probed.getsockname()[1]
        return port


async def listening(admin: Socket) -> Socket:
    """Where Envoy takes requests: the port the kernel chose, where the settings say 0."""
    _, body = await _get(admin, "/listeners?format=json")
    address = json.loads(body)["listener_statuses"][0]["local_address"]["socket_address"]
    return Socket(address["address"], address["port_value"])


async def first_model(upstream: Upstream) -> str | None:
    """The name of a model, where the server speaks OpenAI's API and tells."""
    if upstream.tls:
        return None
    _, body = await _get(upstream.socket, "/v1/models")
    try:
        name = json.loads(body)["data"][0]["id"]
    except (ValueError, LookupError, TypeError):
        return None
    return name if isinstance(name, str) else None


async def _get(server: Socket, path: str) -> tuple[int, bytes]:
    return await asyncio.to_thread(_get_blocking, server, path)


def _get_blocking(server: Socket, path: str) -> tuple[int, bytes]:
    """Status and body; status 0 where there was no answer."""
    connection = HTTPConnection(server.host, server.port, timeout=_CONNECT)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read(_LONGEST_ANSWER)
    except (OSError, HTTPException):
        return 0, b""
    finally:
        connection.close()

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from extproc.envoyconf.settings import Pipe, Socket, Upstream
from extproc.errors import ConfigError
from extproc.gateway import probe
from extproc.gateway.process import Child, ChildDied
from tests.gateway.rig import gone

NOBODY = Socket("127.0.0.1", 1)


@asynccontextmanager
async def _server(answer: bytes) -> AsyncIterator[Socket]:
    """Give the same answer to every request."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield Socket(*server.sockets[0].getsockname())


def _ok(body: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()


async def test_whether_somebody_listens(tmp_path: Path) -> None:
    path = str(tmp_path / "a.sock")
    async with await asyncio.start_unix_server(lambda r, w: w.close(), path):
        assert await probe.answers(Pipe(path))
    async with _server(b"") as socket:
        assert await probe.answers(socket)

    assert not await probe.answers(Pipe(path))
    assert not await probe.answers(Pipe(str(tmp_path / "never.sock")))
    assert not await probe.answers(socket)


async def _never() -> bool:
    return False


async def test_waiting_ends_with_the_death_of_what_is_waited_for() -> None:
    command = (sys.executable, "-c", "print('no'); raise SystemExit(3)")
    child = await Child.start("child", command, environment={}, log=lambda line: None)

    with pytest.raises(ChildDied, match=r"(?s)child ended with code 3.*no"):
        await probe.until(_never, child)


async def test_waiting_ends_after_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_PATIENCE", 0.0)
    command = (sys.executable, "-c", "import signal; signal.pause()")
    child = await Child.start("child", command, environment={}, log=lambda line: None)

    with pytest.raises(ConfigError, match="child is not ready after 0 seconds"):
        await probe.until(_never, child)

    assert child.alive
    await child.stop()
    assert gone(child.pid)


async def test_envoy_is_ready_when_it_says_so() -> None:
    async with _server(_ok("LIVE\n")) as admin:
        assert await probe.ready(admin)
    async with _server(b"HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\n\r\n") as admin:
        assert not await probe.ready(admin)
    async with _server(b"garbage\r\n\r\n") as admin:
        assert not await probe.ready(admin)

    assert not await probe.ready(NOBODY)


async def test_envoy_tells_the_port_it_got() -> None:
    told = (
        '{"listener_statuses":[{"name":"clients","local_address":'
        '{"socket_address":{"address":"127.0.0.1","port_value":4242}}}]}'
    )
    async with _server(_ok(told)) as admin:
        assert await probe.listening(admin) == Socket("127.0.0.1", 4242)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ('{"object":"list","data":[{"id":"tiny"},{"id":"other"}]}', "tiny"),
        ('{"data":[]}', None),
        ('{"data":[{"id":7}]}', None),
        ("[]", None),
        ("not json", None),
    ],
)
async def test_a_model_is_named_where_the_server_names_one(body: str, name: str | None) -> None:
    async with _server(_ok(body)) as socket:
        assert await probe.first_model(Upstream(socket)) == name


async def test_no_model_is_named_where_nobody_answers() -> None:
    assert await probe.first_model(Upstream(NOBODY)) is None
    assert await probe.first_model(Upstream(NOBODY, tls=True)) is None

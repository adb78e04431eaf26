"""The control socket, as its users and those who mean it ill find it."""

import asyncio
import os
import pwd
import socket
import stat
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from extproc.accounts.messages import LONGEST, Answer, Ask, Freeze, Show, Tenants, encode
from extproc.errors import ConfigError
from extproc.server import control
from extproc.server.act_records import Peer
from extproc.server.acts import Acts
from extproc.server.control import CONNECTIONS, Control
from extproc.server.tables import Tables
from tests.server.test_acts import Operator, made
from tests.server.wire import until

SHOW = encode(Show("acme")) + b"\n"


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(10):
            found: dict[str, Any] = orjson.loads(await self.reader.readline())
        return found

    async def ask(self, data: bytes) -> dict[str, Any]:
        await self.send(data)
        return await self.receive()

    async def ended(self) -> bool:
        """Whether nothing more comes."""
        try:
            async with asyncio.timeout(10):
                return await self.reader.read() == b""
        except ConnectionResetError:
            return True


class Listening:
    def __init__(self, folder: Path, idle: float = 10.0) -> None:
        self.path = folder / "control.sock"
        self.operator = Operator(made("acme"))
        self.control = Control(self.path, self.operator.acts, self.operator.records, idle)
        self._clients = list[Client]()

    async def connect(self) -> Client:
        # More than an answer has: readline gives up on what is longer than its limit.
        found = Client(*await asyncio.open_unix_connection(self.path, limit=1 << 20))
        self._clients.append(found)
        return found

    async def close(self) -> None:
        for client in self._clients:
            client.writer.close()
        await self.control.close()
        self.operator.records.close()


@pytest.fixture
async def listening(tmp_path: Path) -> AsyncIterator[Listening]:
    found = Listening(tmp_path)
    await found.control.start()
    yield found
    await found.close()


@pytest.fixture
async def hurried(tmp_path: Path) -> AsyncIterator[Listening]:
    """It waits for nobody longer than a moment."""
    found = Listening(tmp_path, idle=0.1)
    await found.control.start()
    yield found
    await found.close()


async def test_each_line_has_an_answer_of_a_line(listening: Listening) -> None:
    client = await listening.connect()
    for _ in range(3):
        answer = await client.ask(SHOW)
        assert (answer["answer"], answer["holder"]["whom"]) == ("shown", "acme")
    await client.send(SHOW + encode(Tenants()) + b"\n" + SHOW)
    assert [(await client.receive())["answer"] for _ in range(3)] == ["shown", "page", "shown"]


async def test_a_line_may_come_in_pieces(listening: Listening) -> None:
    client = await listening.connect()
    for byte in SHOW:
        await client.send(bytes([byte]))
    assert (await client.receive())["answer"] == "shown"


async def test_who_asks_is_whom_the_kernel_says(listening: Listening) -> None:
    client = await listening.connect()
    answer = await client.ask(encode(Freeze("acme")) + b"\n")
    assert answer["answer"] == "done"
    [told] = listening.operator.recorded()
    user = pwd.getpwuid(os.getuid()).pw_name
    assert (told["uid"], told["pid"], told["who"]) == (os.getuid(), os.getpid(), user)


async def test_a_user_may_have_no_name(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    client = await listening.connect()
    await client.ask(encode(Freeze("acme")) + b"\n")
    assert [told["who"] for told in listening.operator.recorded()] == [""]


async def test_a_system_that_does_not_know_its_users_keeps_nobody_waiting(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = threading.Event()
    monkeypatch.setattr(control, "_NAMING", 0.05)
    monkeypatch.setattr(control, "_name", lambda _: never.wait(20))
    client = await listening.connect()
    await client.ask(encode(Freeze("acme")) + b"\n")
    never.set()
    assert [told["who"] for told in listening.operator.recorded()] == [""]


# Its file.


async def test_its_file_is_its_owners_alone_and_gone_at_the_end(listening: Listening) -> None:
    mode = listening.path.lstat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600
    await listening.control.close()
    assert not listening.path.exists()


async def test_it_takes_over_a_stale_socket_and_nothing_else(tmp_path: Path) -> None:
    found = Listening(tmp_path)
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(found.path))
    await found.control.start()
    assert (await (await found.connect()).ask(SHOW))["answer"] == "shown"
    another = Control(found.path, found.operator.acts, found.operator.records)
    with pytest.raises(ConfigError, match="control: another process listens on "):
        await another.start()
    await another.close()
    assert found.path.exists()
    await found.close()
    found.path.write_text("precious")
    with pytest.raises(ConfigError, match=r"control: .* exists and is not a socket"):
        await another.start()
    assert found.path.read_text() == "precious"


async def test_a_file_that_took_its_place_is_not_removed(listening: Listening) -> None:
    listening.path.unlink()
    listening.path.write_text("precious")
    await listening.control.close()
    assert listening.path.read_text() == "precious"


async def test_a_file_that_is_gone_needs_no_removing(listening: Listening) -> None:
    listening.path.unlink()
    await listening.control.close()
    assert not listening.path.exists()


async def test_a_place_that_cannot_be_bound_is_told(tmp_path: Path) -> None:
    found = Listening(tmp_path)
    long = tmp_path / ("x" * 120)
    with pytest.raises(ConfigError, match=r"^control: the folder .*gone does not exist"):
        await Control(tmp_path / "gone" / "s", found.operator.acts, found.operator.records).start()
    with pytest.raises(ConfigError, match=r"^control: cannot listen on "):
        await Control(long, found.operator.acts, found.operator.records).start()
    found.operator.records.close()


# Whoever means it ill.


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"\x00\xff\xfe\n",
        b"GET / HTTP/1.1\r\n",
        b"null\n",
        b'{"do":"freeze"}\n',
        b'{"do":"drop","whom":"acme"}\n',
        b"[" * 5000 + b"\n",
        b'{"do":"show","whom":"' + b"a" * 60_000 + b'"}\n',
    ],
)
async def test_what_is_no_request_is_told_and_ends_nothing(
    listening: Listening, line: bytes
) -> None:
    client = await listening.connect()
    answer = await client.ask(line)
    assert (answer["answer"], answer["kind"]) == ("failed", "malformed")
    assert len(answer["message"]) <= 500
    assert (await client.ask(SHOW))["answer"] == "shown"


async def test_a_line_without_an_end_is_cut_off(listening: Listening) -> None:
    client = await listening.connect()
    await client.send(b"x" * (LONGEST + 1))
    assert (await client.receive())["message"] == f"a request is a line of at most {LONGEST} bytes"
    assert await client.ended()


async def test_half_a_line_is_nothing(listening: Listening) -> None:
    client = await listening.connect()
    await client.send(encode(Freeze("acme")))
    client.writer.write_eof()
    assert await client.ended()
    assert listening.operator.recorded() == []


async def test_whoever_says_nothing_is_not_waited_for(hurried: Listening) -> None:
    for sent in (b"", SHOW[:9]):
        client = await hurried.connect()
        await client.send(sent)
        assert await client.ended()


async def test_whoever_does_not_read_is_not_written_to_without_end(hurried: Listening) -> None:
    raw = socket.socket(socket.AF_UNIX)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect(str(hurried.path))
    raw.setblocking(False)
    sent = 0
    with pytest.raises(OSError):  # noqa: PT012 - until the other end has had enough of it
        async with asyncio.timeout(20):
            while True:
                try:
                    sent += raw.send(SHOW * 100)
                except BlockingIOError:
                    await asyncio.sleep(0)
    raw.close()
    assert sent < 16 << 20
    assert (await (await hurried.connect()).ask(SHOW))["answer"] == "shown"


async def test_so_many_are_served_and_others_are_told(listening: Listening) -> None:
    served = [await listening.connect() for _ in range(CONNECTIONS)]
    for client in served:
        assert (await client.ask(SHOW))["answer"] == "shown"
    for _ in range(3):
        late = await listening.connect()
        assert (await late.receive())["kind"] == "busy"
        assert await late.ended()
    served[0].writer.close()
    await until(lambda: len(listening.control._open) < CONNECTIONS)
    assert (await (await listening.connect()).ask(SHOW))["answer"] == "shown"
    assert (await served[1].ask(SHOW))["answer"] == "shown"


class Broken(Acts):
    async def answer(self, ask: Ask, peer: Peer) -> Answer:
        raise RuntimeError("s3cret")


async def test_an_error_of_our_own_is_told_without_its_words(listening: Listening) -> None:
    operator = listening.operator
    listening.control._acts = Broken(
        Tables(made("acme")), operator.store, operator.telemetry, operator.records, None
    )
    client = await listening.connect()
    assert (await client.ask(SHOW))["kind"] == "internal"
    assert await client.ended()
    [told] = operator.recorded()
    assert (told["message"], told["error"]) == ("internal error", "RuntimeError")


async def test_an_error_of_our_own_about_one_who_has_gone_ends_nothing(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object) -> None:
        raise ConnectionResetError

    async def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(listening.control, "_converse", broken)
    monkeypatch.setattr(listening.control, "_tell", gone)
    assert await (await listening.connect()).ended()
    monkeypatch.undo()
    assert (await (await listening.connect()).ask(SHOW))["answer"] == "shown"


async def test_its_end_cuts_off_whoever_is_connected(listening: Listening) -> None:
    client = await listening.connect()
    await client.ask(SHOW)
    await listening.control.close()
    assert await client.ended()
    with pytest.raises(OSError):
        await listening.connect()

"""A server of these tests that answers when it is told to, and what it is told to."""

import asyncio
from collections.abc import AsyncIterator

import hiredis
import pytest

from extproc.errors import StoreUnavailable
from extproc.stores.redis import connection as module
from extproc.stores.redis.connection import LATE, Connection
from tests.stores.redis import rig


class Peer:
    """Keeps what it gets; writes what the test has it write."""

    def __init__(self) -> None:
        self.port = 0
        self.got: list[bytes] = []
        self.writer: asyncio.StreamWriter

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        while data := await reader.read(1 << 16):
            self.got.append(data)
        writer.close()


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    peer = Peer()
    listener = await asyncio.start_server(peer.connected, "127.0.0.1", 0)
    peer.port = listener.sockets[0].getsockname()[1]
    yield peer
    listener.close()


@pytest.fixture
async def connection(peer: Peer) -> AsyncIterator[Connection]:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(Connection, "127.0.0.1", peer.port)
    yield connection
    connection.close()


def soon(seconds: float = 5.0) -> float:
    return asyncio.get_running_loop().time() + seconds


async def test_calls_of_one_turn_leave_in_one_write(peer: Peer, connection: Connection) -> None:
    calls = [connection.call(b"%d" % number, soon()) for number in range(5)]
    await rig.come(lambda: bool(peer.got))
    assert peer.got == [b"01234"]
    assert connection.writes == 1
    peer.writer.write(b":0\r\n:1\r\n:2\r\n")
    peer.writer.write(b":3\r\n:4\r\n")
    assert await asyncio.gather(*calls) == [0, 1, 2, 3, 4]


async def test_an_error_is_a_reply(peer: Peer, connection: Connection) -> None:
    call = connection.call(b"x", soon())
    await rig.come(lambda: bool(peer.got))
    peer.writer.write(b"-NOSCRIPT none\r\n")
    assert isinstance(await call, hiredis.ReplyError)


async def test_a_reply_that_is_too_late_is_nobody_elses(peer: Peer, connection: Connection) -> None:
    late, other = connection.call(b"a", soon(0.01)), connection.call(b"b", soon())
    with pytest.raises(StoreUnavailable, match="no answer in time"):
        await late
    peer.writer.write(b":1\r\n:2\r\n")
    assert await other == 2
    assert not connection.lost.done()


async def test_each_call_has_its_own_time(connection: Connection) -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    patient = connection.call(b"a", soon(8.0))
    hasty = connection.call(b"b", soon(0.02))
    with pytest.raises(StoreUnavailable, match="no answer in time"):
        await hasty
    assert loop.time() - begun < 5.0
    assert not patient.done()
    patient.cancel()


async def test_a_connection_on_which_nothing_comes_is_given_up(connection: Connection) -> None:
    patient = connection.call(b"x", soon(60.0))
    for number in range(LATE):
        assert not connection.lost.done()
        with pytest.raises(StoreUnavailable):
            await connection.call(b"%d" % number, soon(0.01))
    with pytest.raises(StoreUnavailable, match="the connection is lost"):
        await patient
    with pytest.raises(StoreUnavailable, match="the connection is lost"):
        await connection.call(b"x", soon())


async def test_a_peer_that_goes_away_fails_what_waits(peer: Peer, connection: Connection) -> None:
    call = connection.call(b"x", soon())
    await rig.come(lambda: bool(peer.got))
    peer.writer.close()
    with pytest.raises(StoreUnavailable, match="the connection is lost"):
        await call
    assert connection.lost.done()


@pytest.mark.parametrize("noise", [b"HTTP/1.1 400\r\n", b":1\r\n:2\r\n"])
async def test_what_nobody_asked_for_ends_the_connection(
    peer: Peer, connection: Connection, noise: bytes
) -> None:
    call = connection.call(b"x", soon())
    await rig.come(lambda: bool(peer.got))
    peer.writer.write(noise)
    await connection.lost
    await asyncio.wait({call})
    assert call.exception() is not None or call.result() == 1


async def test_no_more_calls_wait_than_may(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING", 2)
    waiting = [connection.call(b"x", soon()) for _ in range(2)]
    with pytest.raises(StoreUnavailable, match="too many calls wait"):
        await connection.call(b"x", soon())
    for each in waiting:
        each.cancel()


async def test_nobody_has_to_wait_for_an_answer(peer: Peer, connection: Connection) -> None:
    gone, stays = connection.call(b"a", soon(0.02)), connection.call(b"b", soon())
    await rig.come(lambda: bool(peer.got))
    gone.cancel()
    await rig.passed(0.05)
    peer.writer.write(b":1\r\n:2\r\n")
    assert await stays == 2

"""Exchanges as bytes, with servers that end them in every way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from extproc.redteam.raw import exchange, read, rendered, whole
from extproc.redteam.request import Reply, Request

OK = b"HTTP/1.1 200 OK\r\n"


@asynccontextmanager
async def _saying(answer: bytes, *, stay: bool = False) -> AsyncIterator[str]:
    """A server that reads a head and says ``answer``; it ends the connection, or leaves that."""

    over: list[asyncio.Future[None]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        over.append(asyncio.get_running_loop().create_future())
        ended = over[-1]
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        with suppress(ConnectionError):
            if stay:
                await reader.read()
            writer.close()
            await writer.wait_closed()
        ended.set_result(None)

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await asyncio.gather(*over)


def test_a_request_is_written_with_its_own_fields_and_others() -> None:
    request = Request("/a", b"xyz", headers={"content-type": "text/plain"})
    assert rendered(request, "h", {"x-a": "b"}) == (
        b"POST /a HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-type: text/plain\r\n"
        b"x-a: b\r\ncontent-length: 3\r\n\r\nxyz"
    )
    assert rendered(request, "h", {"host": "i", "content-length": "4"}, "HTTP/1.0").startswith(
        b"POST /a HTTP/1.0\r\nhost: i\r\n"
    )


@pytest.mark.parametrize(
    ("received", "status", "body"),
    [
        (OK + b"content-length: 3\r\n\r\nabcdef", 200, b"abc"),
        (OK + b"\r\nabc", 200, b"abc"),
        (
            OK + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
            200,
            b"abcde",
        ),
        (OK + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nd", 200, b"abcd"),
        (OK + b"transfer-encoding: chunked\r\n\r\nzz\r\nabc", 200, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"content-length: 1\r\n\r\na", 200, b"a"),
        (b"HTTP/1.1 404\r\n\r\n", 404, b""),
        (b"", 0, b""),
        (b"nonsense\r\n\r\nabc", 0, b""),
        (b"HTTP/1.1 abc\r\n\r\n", 0, b""),
    ],
)
def test_what_was_received_counts_as_far_as_it_can_be_read(
    received: bytes, status: int, body: bytes
) -> None:
    reply = read(received)
    assert (reply.status, reply.body) == (status, body)


@pytest.mark.parametrize(
    ("received", "ended"),
    [
        (OK + b"content-length: 3\r\n\r\nabc", True),
        (OK + b"content-length: 3\r\n\r\nab", False),
        (OK + b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", True),
        (OK + b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n", False),
        (OK + b"\r\nabc", False),
        (b"HTTP/1.1 100 Continue\r\n\r\n", False),
        (OK, False),
    ],
)
def test_an_answer_says_when_it_ends(received: bytes, ended: bool) -> None:
    assert whole(received) is ended


@pytest.mark.parametrize("stay", [False, True])
async def test_an_exchange_ends_with_the_answer(stay: bool) -> None:
    async with _saying(OK + b"X-A: b\r\ncontent-length: 2\r\n\r\nhi", stay=stay) as url:
        reply = await exchange(url, b"GET / HTTP/1.1\r\n\r\n")
    assert (reply.status, reply.body, reply.header("x-a")) == (200, b"hi", "b")
    assert 0 < reply.ended < 2


async def test_one_hangs_up_as_soon_as_it_is_enough() -> None:
    enough: Callable[[Reply], bool] = lambda reply: reply.body == b"hi"  # noqa: E731
    async with _saying(OK + b"content-length: 99\r\n\r\nhi", stay=True) as url:
        reply = await exchange(url, b"GET / HTTP/1.1\r\n\r\n", enough)
    assert (reply.status, reply.body) == (200, b"hi")
    assert reply.ended < 2


async def test_what_never_ends_is_left_after_some_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("extproc.redteam.raw.SECONDS", 0.05)
    async with _saying(b"", stay=True) as url:
        reply = await exchange(url, b"GET / HTTP/1.1\r\n\r\n")
    assert reply.status == 0


async def test_who_is_not_there_has_no_status() -> None:
    async with _saying(b"") as url:
        pass
    assert (await exchange(url, b"GET / HTTP/1.1\r\n\r\n")).status == 0

"""The load against the model server of the benchmark, without anything between them."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.bench import bodies
from tests.bench.client import Pool, pool
from tests.bench.figures import BenchmarkError
from tests.bench.latency import Arrivals
from tests.bench.upstream import listen

CHAT = bodies.request(bodies.CHAT, bodies.ask_chat())
IDLE = bodies.request(bodies.CHAT, bodies.ask_chat("idle", stream=True))
NONE = bodies.request(bodies.CHAT, bodies.ask_chat("unknown"))


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with await listen({b"chat": bodies.chat_answer()}) as server:
        yield server.sockets[0].getsockname()[1]
        async with asyncio.timeout(10):
            # asyncio tells nobody when the last connection of a server has gone.
            while server._active_count:  # type: ignore[attr-defined]  # noqa: ASYNC110
                await asyncio.sleep(0)


async def test_every_connection_asks_at_least_once(port: int) -> None:
    async with pool(port, CHAT, connections=3) as asked:
        assert await asked.closed(0) == 3
        assert await asked.closed(0.05) > 3


async def test_requests_come_at_their_rate_and_each_is_timed(port: int) -> None:
    async with pool(port, CHAT, connections=2) as asked:
        arrivals = Arrivals(asked, rate=1000, total=20)
        arrivals.tick()
        await asked.wait(1)

    assert len(arrivals.latencies) == 20
    assert all(0 < latency < 30 for latency in arrivals.latencies)


async def test_a_request_that_waits_for_a_connection_has_that_in_its_latency(port: int) -> None:
    """All are due at once and there is one connection: each waits for those before it."""
    async with pool(port, CHAT, connections=1) as asked:
        arrivals = Arrivals(asked, rate=1e9, total=20)
        arrivals.tick()
        await asked.wait(1)

    assert arrivals.latencies == sorted(arrivals.latencies)


async def test_streams_begin_and_stay_open(port: int) -> None:
    async with pool(port, IDLE, connections=5) as asked:
        ended = await asked.begin(at_once=2)

        assert asked.marks == 5
        assert not ended.done()


@pytest.mark.parametrize(("request_", "expected"), [(CHAT, 401), (NONE, 200)])
async def test_an_answer_that_is_not_as_expected_fails(
    port: int, request_: bytes, expected: int
) -> None:
    async with pool(port, request_, connections=2, expected=expected) as asked:
        with pytest.raises(BenchmarkError):
            await asked.once()


@pytest.mark.parametrize("cut", [1, 7, 1000])
async def test_an_answer_is_whole_however_it_was_cut(cut: int) -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    answer = head + b"2\r\n~0\r\n0\r\n\r\n"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for start in range(0, len(answer), cut):
            writer.write(answer[start : start + cut])
            await writer.drain()
            await asyncio.sleep(0)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        number = server.sockets[0].getsockname()[1]
        async with pool(number, b"GET / HTTP/1.1\r\n\r\n", connections=1) as asked:
            await asked.once()
            assert isinstance(asked, Pool)
            assert asked.marks == 1

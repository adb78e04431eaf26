"""The attacker's HTTP client, against a server in this process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from extproc.redteam import client as client_module
from extproc.redteam.client import Client
from extproc.redteam.firing_range.firing_range import free_port
from extproc.redteam.request import Request

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def _serving(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _told(request: web.Request) -> web.Response:
    fields = ("authorization", "x-api-key", "accept-encoding", "user-agent")
    return web.json_response({name: request.headers.get(name) for name in fields})


async def test_a_key_is_a_bearer_token_unless_a_field_has_its_place() -> None:
    async with _serving(_told) as url, Client(url, ("xk-one", "xk-two")) as client:
        bearer = await client.send(Request("/", key=1))
        field = await client.send(Request("/", key=0, headers={"x-api-key": "{{key}}"}))
        none = await client.send(Request("/", key=None, headers={"x-api-key": "{{key}}"}))
    assert b'"authorization": "Bearer xk-two"' in bearer.body
    assert b'"accept-encoding": null, "user-agent": null' in bearer.body
    assert b'"authorization": null, "x-api-key": "xk-one"' in field.body
    assert b'"authorization": null, "x-api-key": null' in none.body


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async def elsewhere(request: web.Request) -> web.Response:
        raise web.HTTPFound("/there")

    async with _serving(elsewhere) as url, Client(url) as client:
        reply = await client.send(Request("/", key=None))
    assert (reply.status, reply.header("location")) == (302, "/there")
    assert (client.meter.requests, client.meter.refused) == (1, 1)


async def test_where_nothing_answers_the_status_is_0() -> None:
    async with Client(f"http://127.0.0.1:{free_port()}") as client:
        reply = await client.send(Request("/", key=None))
    assert (reply.status, reply.body) == (0, b"")


async def test_an_answer_without_end_counts_as_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    async def long(request: web.Request) -> web.Response:
        return web.Response(body=bytes(2_000))

    monkeypatch.setattr(client_module, "MAX_ANSWER", 1_000)
    async with _serving(long) as url, Client(url) as client:
        assert (await client.send(Request("/", key=None))).status == 0


async def test_pieces_of_a_stream_are_followed() -> None:
    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"one")
        await response.write(b"three")
        return response

    async with _serving(stream) as url, Client(url) as client:
        reply = await client.send(Request("/", key=None), follow=True)
        plain = await client.send(Request("/", key=None))
    assert sum(size for _, size in reply.pieces) == len(reply.body) == 8
    assert all(0 < moment <= reply.ended for moment, _ in reply.pieces)
    assert plain.pieces == ()


async def test_replies_stand_and_count_in_the_order_of_requests_whichever_came_first() -> None:
    """The first request is answered last, and refused."""
    last = asyncio.Event()

    async def reversed_order(request: web.Request) -> web.Response:
        if request.path == "/0":
            await last.wait()
            return web.Response(status=429, text=request.path)
        if request.path == "/7":
            last.set()
        return web.Response(text=request.path)

    async with _serving(reversed_order) as url, Client(url, parallel=4) as client:
        asked = [Request(f"/{at}", key=None) for at in range(8)]
        replies = await client.send_all(asked)
    assert [reply.body.decode() for reply in replies] == [request.path for request in asked]
    assert (client.meter.queries, client.meter.refused, client.meter.first_refusal) == (7, 1, 0)


async def test_no_more_requests_are_under_way_than_are_allowed() -> None:
    under_way, most = 0, 0

    async def counted(request: web.Request) -> web.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return web.Response()

    async with _serving(counted) as url, Client(url, parallel=1) as client:
        await client.send_all([Request("/", key=None)] * 5)
    assert most == 1


async def test_a_connection_that_the_server_may_have_ended_is_not_used_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers as if more could be asked, and ends the connection a while later."""
        await reader.readuntil(b"\r\n\r\nq")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        loop.call_later(0.05, writer.close)

    monkeypatch.setattr(client_module, "IDLE", 0.04)
    server = await asyncio.start_server(once, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    statuses = []
    async with server, Client(url) as client:
        for _ in range(3):
            statuses.append((await client.send(Request("/", b"q", key=None))).status)
            learned = loop.time() + 0.1
            while loop.time() < learned:  # as an attack that trains: nothing else gets its turn
                pass
    assert statuses == [200, 200, 200]

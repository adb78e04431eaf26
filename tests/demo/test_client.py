import asyncio
from collections.abc import Iterator

import orjson
import pytest

from extproc.demo.answer import Answer
from extproc.demo.client import bearer, client
from extproc.demo.policy_file import free_port
from extproc.envoyconf.settings import Socket
from tests.e2e.upstream import Reply, Request, Upstream


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


async def _post(upstream: Upstream, **more: object) -> Answer:
    async with client(Socket("127.0.0.1", upstream.port)) as caller:
        return await caller.post("/v1/embeddings", {"input": "a"}, **more)  # type: ignore[arg-type]


async def test_a_request_says_what_it_is_and_who_asks(upstream: Upstream) -> None:
    async def script(request: Request, reply: Reply) -> None:
        await reply.document(b'{"data":[]}')

    upstream.script = script
    answer = await _post(upstream, headers=bearer("xk-1"))

    (request,) = upstream.requests
    assert (request.method, request.path) == ("POST", "/v1/embeddings")
    assert orjson.loads(request.body) == {"input": "a"}
    assert request.headers["authorization"] == "Bearer xk-1"
    assert request.headers["content-type"] == "application/json"
    assert (answer.status, answer.body, answer.complete) == (200, b'{"data":[]}', True)
    assert answer.headers["content-type"] == "application/json"
    assert answer.seconds > 0


async def test_bytes_of_an_answer_are_told_of_as_they_come(upstream: Upstream) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def script(request: Request, reply: Reply) -> None:
        await reply.stream_head()
        await reply.chunk(b"data: 1\n\n")
        # Nothing more before the caller has seen that much.
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(told.wait(), loop))
        await reply.chunk(b"data: 2\n\n")
        await reply.end()

    upstream.script = script
    counts: list[int] = []

    def count(received: int) -> None:
        counts.append(received)
        told.set()

    answer = await _post(upstream, on_bytes=count)
    assert answer.body == b"data: 1\n\ndata: 2\n\n"
    assert counts == [9, 18]


async def test_an_answer_that_breaks_off_is_kept_as_far_as_it_came(upstream: Upstream) -> None:
    async def script(request: Request, reply: Reply) -> None:
        await reply.stream_head()
        await reply.chunk(b"data: 1\n\n")
        reply.writer.close()

    upstream.script = script
    answer = await _post(upstream)
    assert (answer.status, answer.body, answer.complete) == (200, b"data: 1\n\n", False)


async def test_where_nobody_listens_there_is_no_answer() -> None:
    async with client(Socket("127.0.0.1", free_port())) as caller:
        answer = await caller.post("/", {})
    assert (answer.status, answer.body, answer.complete) == (0, b"", False)

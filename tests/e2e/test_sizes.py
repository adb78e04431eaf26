"""Large answers, large requests, and many at a time."""

import asyncio
import resource
from collections.abc import Callable, Iterator

import httpx
import numpy as np
import orjson
import psutil
import pytest

from tests.e2e import bodies
from tests.e2e.client import post
from tests.e2e.gateway import LiveGateway
from tests.e2e.upstream import Reply, Request, Upstream, answering

MIB = 1 << 20
STREAMS = 2000


def levels(embedding: list[float]) -> int:
    return len(set(embedding))


def check_embeddings(content: bytes, count: int) -> None:
    """Every vector was quantised to at most 256 levels, and still points where it did."""
    data = orjson.loads(content)["data"]
    assert [item["index"] for item in data] == list(range(count))
    for item in data[:: max(1, count // 20)]:
        original = np.array(bodies.vector(item["index"], 1536))
        served = np.array(item["embedding"])
        assert levels(item["embedding"]) <= 256
        cosine = original @ served / np.linalg.norm(original) / np.linalg.norm(served)
        assert cosine > 0.999


@pytest.mark.parametrize("chunked", [False, True])
def test_a_12_mb_answer_is_rewritten(
    gateway: LiveGateway, upstream: Upstream, chunked: bool
) -> None:
    answer = bodies.embeddings_answer(400, 1536)
    assert len(answer) > 12_000_000

    async def script(request: Request, reply: Reply) -> None:
        if not chunked:
            await reply.document(answer)
            return
        await reply.stream_head("application/json")
        for start in range(0, len(answer), 10_007):
            await reply.chunk(answer[start : start + 10_007])
        await reply.end()

    upstream.script = script
    response = post(gateway, bodies.EMBEDDINGS, bodies.embeddings_request())
    assert response.status_code == 200
    check_embeddings(response.content, 400)


@pytest.mark.slow
def test_a_64_mb_answer_needs_little_memory(gateway: LiveGateway, upstream: Upstream) -> None:
    answer = bodies.embeddings_answer(2100, 1536)
    assert len(answer) > 64_000_000
    upstream.script = answering(answer)
    sidecar = psutil.Process(gateway.sidecar_pid)
    post(gateway, bodies.EMBEDDINGS, bodies.embeddings_request())  # what is loaded once is loaded
    before, peak = sidecar.memory_info().rss, 0
    received = bytearray()
    with (
        httpx.Client(base_url=gateway.url, timeout=120) as client,
        client.stream(
            "POST",
            bodies.EMBEDDINGS,
            content=bodies.embeddings_request(),
            headers=bodies.headers(),
        ) as response,
    ):
        for piece in response.iter_raw():
            received += piece
            peak = max(peak, sidecar.memory_info().rss)
    check_embeddings(bytes(received), 2100)
    assert peak - before < 32 * MIB, f"grew by {(peak - before) / MIB:.0f} MiB"


def test_an_answer_that_breaks_after_it_was_opened_is_cut(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    answer = bodies.embeddings_answer(400, 1536)[:-10] + b"\x00" * 10
    upstream.script = answering(answer)
    with pytest.raises(httpx.RemoteProtocolError):
        post(gateway, bodies.EMBEDDINGS, bodies.embeddings_request())


def test_an_answer_that_breaks_while_it_is_held_is_an_error(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    answer = bodies.embeddings_answer(4, 1536)
    assert 64 << 10 < len(answer) < 256 << 10
    upstream.script = answering(answer[:-1] + b"x")
    assert post(gateway, bodies.EMBEDDINGS, bodies.embeddings_request()).status_code == 502


def test_a_request_just_under_the_cap_arrives_byte_for_byte(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = answering(bodies.embeddings_answer())
    body = bodies.embeddings_request()
    body = body.replace(b"hello", b"h" * (MIB - len(body)))
    assert post(gateway, bodies.EMBEDDINGS, body).status_code == 200
    assert upstream.requests[0].body == body


def raw_request(body: bytes) -> bytes:
    fields = {**bodies.headers(), "content-length": str(len(body)), "connection": "close"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {bodies.CHAT} HTTP/1.1\r\nhost: a\r\n{lines}\r\n".encode() + body


async def open_stream(gateway: LiveGateway, number: int, opened: Callable[[], None]) -> bytes:
    """A raw connection: a client library's pool takes minutes for two thousand."""
    reader, writer = await asyncio.open_connection(gateway.host, gateway.port)
    messages = [{"role": "user", "content": f"stream-{number}"}]
    writer.write(raw_request(bodies.chat_request(stream=True, messages=messages)))
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    answer = await reader.readuntil(b"\n\n")
    opened()
    answer += await reader.read()
    writer.close()
    return answer


@pytest.fixture
def many_files() -> Iterator[None]:
    """Two thousand connections have two ends each in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow
@pytest.mark.usefixtures("many_files")
def test_two_thousand_streams_at_once(gateway: LiveGateway, upstream: Upstream) -> None:
    """Every stream is open at the same time, and each gets its own filtered events."""
    release, waiting = upstream.event(), iter(range(STREAMS - 1, -1, -1))
    event = b"data: " + bodies.chat_chunk("NAME") + b"\n\n"

    async def script(request: Request, reply: Reply) -> None:
        content = orjson.loads(request.body)["messages"][0]["content"].encode()
        await reply.stream_head()
        await reply.chunk(event.replace(b"NAME", content))
        await release.wait()
        await reply.chunk(b"data: [DONE]\n\n")
        await reply.end()

    def opened() -> None:
        if next(waiting) == 0:
            upstream.release(release)

    async def all_at_once() -> list[bytes]:
        return await asyncio.gather(
            *(open_stream(gateway, number, opened) for number in range(STREAMS))
        )

    upstream.script = script
    for number, text in enumerate(asyncio.run(all_at_once())):
        assert f'"delta":{{"content":"stream-{number}"}}'.encode() in text
        assert b"private thoughts" not in text
        assert b"data: [DONE]\n\n\r\n0\r\n" in text
    assert set(gateway.stats(r"overflow$").values()) == {0}

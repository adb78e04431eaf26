"""Event streams through real Envoy: cut anywhere, delivered at once, ended as they should."""

import httpx
import orjson
import pytest

from tests.e2e import bodies
from tests.e2e.client import connection, post
from tests.e2e.gateway import LiveGateway
from tests.e2e.upstream import Reply, Request, Upstream, streaming

STREAM = bodies.chat_stream("grüße", "two")
ASK = bodies.chat_request(stream=True, logprobs=True)


def expected(gateway: LiveGateway, upstream: Upstream) -> bytes:
    upstream.script = streaming(STREAM)
    return post(gateway, bodies.CHAT, ASK).content


def test_a_stream_loses_what_the_tier_does_not_name(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    events = expected(gateway, upstream).strip().split(b"\n\n")
    assert events[-1] == b"data: [DONE]"
    for event, content in zip(events, ("grüße", "two"), strict=False):
        (choice,) = orjson.loads(event[6:])["choices"]
        assert choice["delta"] == {"content": content}
        assert choice["logprobs"] is None


def test_a_stream_cut_at_any_byte_comes_out_the_same(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    whole = expected(gateway, upstream)
    with httpx.Client(base_url=gateway.url, timeout=30) as client:
        for cut in range(1, len(STREAM)):
            upstream.script = streaming(STREAM[:cut], STREAM[cut:])
            answer = client.post(bodies.CHAT, content=ASK, headers=bodies.headers())
            assert answer.content == whole, f"cut at {cut}"


def test_a_stream_of_single_bytes_comes_out_the_same(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    whole = expected(gateway, upstream)
    upstream.script = streaming(*(STREAM[i : i + 1] for i in range(len(STREAM))))
    assert post(gateway, bodies.CHAT, ASK).content == whole


@pytest.mark.parametrize(
    "stream",
    [
        STREAM.replace(b"\n\n", b"\r\n\r\n"),
        STREAM.replace(b"data: ", b": ping\n\ndata: "),
        STREAM.replace(b"data: {", b"event: message\nid: 7\ndata: {"),
        STREAM.replace(b',"object"', b',\ndata: "object"'),
        b"\xef\xbb\xbf" + STREAM,
    ],
    ids=["crlf", "comments", "event-lines", "multi-line-data", "byte-order-mark"],
)
def test_every_way_to_write_a_stream_is_read(
    gateway: LiveGateway, upstream: Upstream, stream: bytes
) -> None:
    upstream.script = streaming(stream)
    answer = post(gateway, bodies.CHAT, ASK).content
    data = [line[6:] for line in answer.splitlines() if line.startswith(b"data: ")]
    assert data[-1] == b"[DONE]"
    texts = [orjson.loads(event)["choices"][0]["delta"]["content"] for event in data[:-1]]
    assert texts == ["grüße", "two"]
    assert b"private thoughts" not in answer
    assert b"ping" not in answer


def test_events_arrive_one_by_one(gateway: LiveGateway, upstream: Upstream) -> None:
    """The second event is only written after the client has read the first."""
    seen = upstream.event()

    async def script(request: Request, reply: Reply) -> None:
        await reply.stream_head()
        await reply.chunk(b"data: " + bodies.chat_chunk("one") + b"\n\n")
        await seen.wait()
        await reply.chunk(b"data: [DONE]\n\n")
        await reply.end()

    upstream.script = script
    with (
        httpx.Client(base_url=gateway.url, timeout=20) as client,
        client.stream("POST", bodies.CHAT, content=ASK, headers=bodies.headers()) as response,
    ):
        lines = response.iter_lines()
        assert "one" in next(lines)
        upstream.release(seen)
        assert [line for line in lines if line] == ["data: [DONE]"]


def test_a_client_that_hangs_up_leaves_nothing_behind(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    gone = upstream.event()

    async def script(request: Request, reply: Reply) -> None:
        await reply.stream_head()
        try:
            while True:
                await reply.chunk(b"data: " + bodies.chat_chunk("on and on") + b"\n\n")
        except ConnectionError:
            gone.set()
            raise

    upstream.script = script
    fields = "".join(f"{name}: {value}\r\n" for name, value in bodies.headers().items())
    head = f"POST {bodies.CHAT} HTTP/1.1\r\nhost: a\r\ncontent-length: {len(ASK)}\r\n{fields}\r\n"
    with connection(gateway) as raw:
        raw.sendall(head.encode() + ASK)
        assert b"200" in raw.recv(4096)
    upstream.wait(gone)
    gateway.until_settled()


def test_a_stream_nobody_asked_for_is_refused(gateway: LiveGateway, upstream: Upstream) -> None:
    upstream.script = streaming(STREAM)
    assert post(gateway, bodies.CHAT, bodies.chat_request()).status_code == 502

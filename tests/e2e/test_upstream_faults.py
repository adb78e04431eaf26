"""A model server that fails in every way: the client gets an error, never a byte unread."""

import asyncio

import httpx
import orjson
import pytest

from extproc.dialects.problem import PROBLEM
from tests.e2e import bodies
from tests.e2e.client import post
from tests.e2e.gateway import LiveGateway
from tests.e2e.upstream import Reply, Request, Script, Upstream, answering, streaming

UNREADABLE = 502
LEAK = b"unread-bytes-of-the-model-server"


def infer(gateway: LiveGateway) -> httpx.Response:
    return post(gateway, bodies.INFER, bodies.infer_request())


@pytest.mark.parametrize(
    ("body", "more"),
    [
        (LEAK, {}),
        (b'{"outputs": ["' + LEAK + b'"]}', {}),
        (bodies.infer_answer()[:-1], {}),
        (bodies.infer_answer() + LEAK, {}),
        (b'{"outputs":[],"outputs":1}', {}),
        (bodies.infer_answer(), {"content_type": "text/html"}),
        (bodies.infer_answer(), {"content_type": "application/octet-stream"}),
        (bodies.infer_answer(), {"content_type": ""}),
        (bodies.infer_answer(), {"content_type": "text/event-stream"}),
        (bodies.infer_answer(), {"content_encoding": "gzip"}),
        (bodies.infer_answer(), {"content_encoding": "br"}),
    ],
)
def test_what_cannot_be_read_is_not_released(
    gateway: LiveGateway, upstream: Upstream, body: bytes, more: dict[str, str]
) -> None:
    upstream.script = answering(body, **more)
    response = infer(gateway)
    assert response.status_code == UNREADABLE
    assert response.json() == {"error": "The model server's answer cannot be released."}
    assert LEAK not in response.content


@pytest.mark.parametrize("status", [300, 302, 304, 400, 401, 404, 409, 422, 429, 500, 503, 529])
def test_the_words_of_an_upstream_error_never_pass(
    gateway: LiveGateway, upstream: Upstream, status: int
) -> None:
    upstream.script = answering(LEAK, status=status, location="http://inside/", x_model="v7")
    response = infer(gateway)
    assert response.status_code >= 400
    assert LEAK not in response.content
    assert set(response.json()) == {"error"}
    assert "location" not in response.headers
    assert "x-model" not in response.headers
    if status >= 400:
        assert response.status_code == (status if status < 529 else 502)


def test_headers_of_an_answer_are_an_allow_list(gateway: LiveGateway, upstream: Upstream) -> None:
    upstream.script = answering(
        bodies.infer_answer(), x_compute_time="0.123", server="triton", x_request_id="1"
    )
    response = infer(gateway)
    assert response.status_code == 200
    assert {"x-compute-time", "x-envoy-upstream-service-time"}.isdisjoint(response.headers)
    assert response.headers.get("server") != "triton"


def test_an_unasked_upgrade_does_not_reach_the_client(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    async def script(request: Request, reply: Reply) -> None:
        await reply.head(101, {"connection": "upgrade", "upgrade": "leak", "x-leak": "yes"})

    upstream.script = script
    response = infer(gateway)
    assert response.status_code >= 500
    assert "x-leak" not in response.headers


async def _reset_at_once(request: Request, reply: Reply) -> None:
    reply.reset()


async def _reset_after_headers(request: Request, reply: Reply) -> None:
    await reply.head(200, {"content-type": "application/json", "content-length": "1000"})
    reply.reset()


async def _reset_inside_the_body(request: Request, reply: Reply) -> None:
    await reply.head(200, {"content-type": "application/json", "content-length": "1000"})
    await reply.raw(bodies.infer_answer()[:100])
    reply.reset()


async def _garbage_instead_of_http(request: Request, reply: Reply) -> None:
    await reply.raw(LEAK + b"\r\n\r\n")
    reply.reset()


@pytest.mark.parametrize(
    "script",
    [_reset_at_once, _reset_after_headers, _reset_inside_the_body, _garbage_instead_of_http],
)
def test_a_death_while_headers_are_held_is_an_error(
    gateway: LiveGateway, upstream: Upstream, script: Script
) -> None:
    upstream.script = script
    response = infer(gateway)
    assert response.status_code in {502, 503}
    assert response.headers["content-type"] in {"application/json", PROBLEM}
    assert orjson.loads(response.content)["error"]
    assert b"probabilities" not in response.content


def test_a_death_inside_a_stream_is_seen_by_the_client(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    async def script(request: Request, reply: Reply) -> None:
        await reply.stream_head()
        await reply.chunk(b"data: " + bodies.chat_chunk("one") + b"\n\n")
        await asyncio.sleep(0.05)  # let the first event leave, then die
        reply.reset()

    upstream.script = script
    with pytest.raises(httpx.RemoteProtocolError):
        post(gateway, bodies.CHAT, bodies.chat_request(stream=True))


@pytest.mark.parametrize(
    "broken",
    [
        b"data: " + LEAK + b"\n\n",
        b'data: {"error": {"message": "' + LEAK + b'"}}\n\n',
        b'data: {"choices": "' + LEAK + b'"}\n\n',
        b"data: " + b"a" * (2 << 20),
    ],
    ids=["no-json", "error", "wrong-type", "too-large"],
)
def test_a_broken_event_ends_the_stream_with_an_error_event(
    gateway: LiveGateway, upstream: Upstream, broken: bytes
) -> None:
    good = b"data: " + bodies.chat_chunk("one") + b"\n\n"
    upstream.script = streaming(good, broken, b"data: " + LEAK + b"\n\n")
    response = post(gateway, bodies.CHAT, bodies.chat_request(stream=True))
    events = response.content.strip().split(b"\n\n")
    assert orjson.loads(events[0][6:])["choices"][0]["delta"] == {"content": "one"}
    assert orjson.loads(events[1][6:])["error"]["code"] == "bad_gateway"
    assert len(events) == 2
    assert LEAK not in response.content


def test_no_model_server_is_a_503(gateway: LiveGateway, upstream: Upstream) -> None:
    upstream.script = _reset_at_once
    response = infer(gateway)
    assert response.status_code == 503
    assert set(response.json()) == {"error"}

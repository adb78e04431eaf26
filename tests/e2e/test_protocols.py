"""HTTP in all its versions, with trailers, without bodies, and in both directions at once."""

import http.client

import httpx
import pytest

from tests.e2e import bodies
from tests.e2e.client import exchange, post
from tests.e2e.gateway import LiveGateway
from tests.e2e.upstream import Reply, Request, Upstream, answering, streaming


def head(version: str, body: bytes, **extra: str) -> bytes:
    fields = {**bodies.headers(), "content-length": str(len(body)), **extra}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {bodies.INFER} HTTP/{version}\r\nhost: a\r\n{lines}\r\n".encode() + body


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_http_1(gateway: LiveGateway, upstream: Upstream, version: str) -> None:
    upstream.script = answering(bodies.infer_answer())
    request = head(version, bodies.infer_request(), connection="close")
    answer = exchange(gateway, request)
    assert answer.split(b" ", 2)[1] == b"200"
    assert b"0.6,0.27,0.12" in answer
    assert bodies.SECRET.encode() not in answer


def test_http_1_0_sees_a_broken_stream_end_with_an_error(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    """A cut body looks like its end to HTTP/1.0; the error event tells them apart."""
    upstream.script = streaming(b"data: " + bodies.chat_chunk("one") + b"\n\n", b"data: {\n\n")
    body = bodies.chat_request(stream=True)
    request = head("1.0", body).replace(bodies.INFER.encode(), bodies.CHAT.encode())
    answer = exchange(gateway, request)
    assert b"200" in answer.partition(b"\r\n")[0]
    assert b'"code":"bad_gateway"' in answer


def test_http_2(gateway: LiveGateway, upstream: Upstream) -> None:
    upstream.script = answering(bodies.infer_answer())
    with httpx.Client(base_url=gateway.url, http1=False, http2=True, timeout=20) as client:
        response = client.post(
            bodies.INFER, content=bodies.infer_request(), headers=bodies.headers()
        )
    assert response.http_version == "HTTP/2"
    assert response.json()["outputs"][0]["data"] == [0.0, 0.6, 0.27, 0.12]


def test_answer_trailers_lose_what_is_not_listed(gateway: LiveGateway, upstream: Upstream) -> None:
    async def script(request: Request, reply: Reply) -> None:
        await reply.stream_head("application/json", trailer="grpc-status, x-logits")
        await reply.chunk(bodies.infer_answer())
        await reply.end(grpc_status="0", x_logits=bodies.SECRET)

    upstream.script = script
    request = head("1.1", bodies.infer_request(), connection="close", te="trailers")
    answer = exchange(gateway, request)
    body, _, trailers = answer.partition(b"\r\n0\r\n")
    assert b"0.6,0.27,0.12" in body
    assert trailers == b"grpc-status: 0\r\n\r\n"


def test_a_request_with_trailers_goes_on_without_them(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = answering(bodies.infer_answer())
    body = bodies.infer_request()
    fields = {**bodies.headers(), "transfer-encoding": "chunked", "connection": "close"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    start = f"POST {bodies.INFER} HTTP/1.1\r\nhost: a\r\n{lines}\r\n".encode()
    chunks = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\nx-secret: 1\r\n\r\n"
    assert exchange(gateway, start + chunks).split(b" ", 2)[1] == b"200"
    assert upstream.requests[0].body == body
    assert "x-secret" not in upstream.requests[0].trailers


def test_a_chunked_request_arrives_whole(gateway: LiveGateway, upstream: Upstream) -> None:
    upstream.script = answering(bodies.infer_answer())
    body = bodies.infer_request()
    connection = http.client.HTTPConnection(gateway.host, gateway.port, timeout=20)
    pieces = (body[i : i + 7] for i in range(0, len(body), 7))
    connection.request("POST", bodies.INFER, pieces, bodies.headers(), encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()
    assert upstream.requests[0].body == body


@pytest.mark.parametrize("status", [200, 204])
def test_an_answer_without_a_body(gateway: LiveGateway, upstream: Upstream, status: int) -> None:
    async def script(request: Request, reply: Reply) -> None:
        more = {"content-length": "0"} if status == 200 else {}
        await reply.head(status, {"content-type": "application/json", **more})

    upstream.script = script
    response = post(gateway, bodies.INFER, bodies.infer_request())
    assert (response.status_code, response.content) == (status, b"")


def test_a_chunked_answer_without_a_byte_is_no_answer(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = streaming()

    async def script(request: Request, reply: Reply) -> None:
        await reply.stream_head("application/json")
        await reply.end()

    upstream.script = script
    assert post(gateway, bodies.INFER, bodies.infer_request()).status_code == 502


def test_a_request_without_a_body_passes_by_its_status(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = answering(b'{"internal": "details"}')
    with httpx.Client(base_url=gateway.url, timeout=20) as client:
        response = client.get("/v2/health/ready", headers=bodies.headers())
        head = client.head("/v2/health/ready", headers=bodies.headers())
    assert (response.status_code, response.content) == (200, b"")
    assert head.status_code == 405


def test_expect_continue_is_answered(gateway: LiveGateway, upstream: Upstream) -> None:
    upstream.script = answering(bodies.infer_answer())
    request = head("1.1", bodies.infer_request(), connection="close", expect="100-continue")
    assert b"HTTP/1.1 200" in exchange(gateway, request)


@pytest.mark.parametrize(
    "fields",
    [
        b"host: a\r\ncontent-length: x",
        b"host: a\r\nno colon",
        b"x: no host",
        b"host: a\r\nx: " + b"a" * (64 << 10),
        b"host: a\r\nx_tenant: full",
        b"host: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked",
    ],
    ids=["length", "no-colon", "no-host", "too-large", "underscore", "smuggling"],
)
def test_a_malformed_request_ends_at_the_gateway(
    gateway: LiveGateway, upstream: Upstream, fields: bytes
) -> None:
    """Envoy closes the connection, with or without an error; what it says is ours."""
    upstream.script = answering(bodies.infer_answer())
    answer = exchange(gateway, b"POST /v1/embeddings HTTP/1.1\r\n" + fields + b"\r\n\r\n")
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert b"envoy" not in answer.lower()
    assert upstream.requests == []

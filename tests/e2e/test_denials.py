"""Who is refused, how it looks, and that the model server never hears of it."""

import httpx
import orjson
import pytest

from tests.e2e import bodies
from tests.e2e.client import exchange, post
from tests.e2e.gateway import KEYS, LiveGateway
from tests.e2e.upstream import Upstream, answering

STRANGER = 'Bearer realm="extproc", error="invalid_token"'

KEY = {"authorization": f"Bearer {KEYS['standard']}"}
JSON = {"content-type": "application/json"}


def request(gateway: LiveGateway, method: str, path: str, **more: object) -> httpx.Response:
    with httpx.Client(base_url=gateway.url, timeout=20) as client:
        return client.request(method, path, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "code"),
    [
        ("POST", bodies.CHAT, JSON, 401, "invalid_api_key"),
        ("POST", bodies.CHAT, {**JSON, "authorization": "Bearer xk-wrong"}, 401, "invalid_api_key"),
        ("POST", bodies.CHAT, {**JSON, "authorization": "Basic YTpi"}, 401, "invalid_api_key"),
        ("POST", "/nowhere", {**JSON, "authorization": "Bearer no"}, 401, "invalid_api_key"),
        ("POST", "/nowhere", {**JSON, **KEY}, 404, "not_found"),
        ("POST", "/v1/chat/completions/", {**JSON, **KEY}, 404, "not_found"),
        ("POST", "/v1/chat/completions?logprobs=1", {**JSON, **KEY}, 404, "not_found"),
        ("POST", "/invocations", {**JSON, **KEY}, 404, "not_found"),
        ("POST", "/tokenize", {**JSON, **KEY}, 404, "not_found"),
        ("GET", bodies.CHAT, KEY, 405, "method_not_allowed"),
        ("PUT", bodies.CHAT, {**JSON, **KEY}, 405, "method_not_allowed"),
        ("OPTIONS", bodies.CHAT, KEY, 405, "method_not_allowed"),
        ("TRACE", bodies.CHAT, KEY, 405, "method_not_allowed"),
        ("POST", bodies.CHAT, {**KEY, "content-type": "text/plain"}, 415, None),
        ("POST", bodies.CHAT, KEY, 415, None),
        ("POST", bodies.CHAT, {**JSON, **KEY, "content-encoding": "gzip"}, 415, None),
    ],
)
def test_what_is_not_granted_is_denied(
    gateway: LiveGateway,
    upstream: Upstream,
    method: str,
    path: str,
    headers: dict[str, str],
    status: int,
    code: str | None,
) -> None:
    upstream.script = answering(bodies.chat_answer())
    content = bodies.chat_request() if method != "TRACE" else None
    response = request(gateway, method, path, headers=headers, content=content)
    assert response.status_code == status
    error = response.json()["error"]
    assert code is None or error["code"] == code
    assert upstream.requests == []


def test_a_stranger_cannot_tell_a_known_path_from_an_unknown_one(gateway: LiveGateway) -> None:
    known = request(gateway, "POST", bodies.CHAT, headers=JSON, content=b"{}")
    unknown = request(gateway, "POST", "/nowhere", headers=JSON, content=b"{}")
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    # Envoy closes a connection whose request it has not read to its end, whatever the path.
    vary = {"date", "connection"}
    assert known.headers.keys() - vary == unknown.headers.keys() - vary
    assert known.headers["www-authenticate"] == STRANGER


def test_a_forbidden_model_looks_like_an_unknown_one(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    answers = [
        post(gateway, bodies.CHAT, bodies.chat_request(model=model)).content
        for model in ("gpt-secret", "no-such-model")
    ]
    assert answers[0] == answers[1]
    assert orjson.loads(answers[0])["error"]["code"] == "model_not_found"
    infer = post(gateway, "/v2/models/secret/infer", bodies.infer_request())
    assert (infer.status_code, infer.json()) == (404, {"error": "The model does not exist."})
    assert upstream.requests == []


@pytest.mark.parametrize(
    "forged",
    [
        {"x-tenant": "full"},
        {"x-extproc-tenant": "full", "x-extproc-fidelity": "full"},
        {"x-forwarded-for": "127.0.0.1", "x-envoy-internal": "true"},
        {"x-envoy-original-path": "/v1/models", "x-envoy-decorator-operation": "full"},
        {"x-forwarded-client-cert": "URI=spiffe://full"},
    ],
)
def test_headers_cannot_forge_an_identity(
    gateway: LiveGateway, upstream: Upstream, forged: dict[str, str]
) -> None:
    upstream.script = answering(bodies.infer_answer())
    honest = post(gateway, bodies.INFER, bodies.infer_request())
    spoofed = post(gateway, bodies.INFER, bodies.infer_request(), headers=forged)
    assert spoofed.content == honest.content
    stranger = request(
        gateway, "POST", bodies.INFER, headers={**JSON, **forged}, content=bodies.infer_request()
    )
    assert stranger.status_code == 401


def test_two_different_credentials_are_none(gateway: LiveGateway, upstream: Upstream) -> None:
    headers = {"x-api-key": KEYS["full"]}
    response = post(gateway, bodies.CHAT, bodies.chat_request(), headers=headers)
    assert response.status_code == 401
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'{"model":"tiny-lm","model":"x","messages":[]}', 400),
        (bodies.chat_request(surprise=1), 400),
        (bodies.chat_request(n=1000), 400),
        (bodies.chat_request(stream_options={"continuous_usage_stats": True}), 400),
        (b'{"model":"tiny-lm","messages":["' + b"a" * (1 << 20) + b'"]}', 413),
    ],
)
def test_a_malformed_request_never_reaches_the_model(
    gateway: LiveGateway, upstream: Upstream, body: bytes, status: int
) -> None:
    response = post(gateway, bodies.CHAT, body)
    assert response.status_code == status
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert upstream.requests == []


def test_the_limit_refuses_and_says_when_to_return(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = answering(bodies.chat_answer())
    answers = [post(gateway, bodies.CHAT, bodies.chat_request(), "slow") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 300
    assert answers[2].json()["error"]["type"] == "rate_limit_error"
    assert len(upstream.requests) == 2


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions/../../../v1/chat/completions",
        "/v1//chat/completions",
        "/./v1/chat/completions",
    ],
)
def test_paths_are_normalised_before_they_are_judged(
    gateway: LiveGateway, upstream: Upstream, path: str
) -> None:
    upstream.script = answering(bodies.chat_answer())
    body = bodies.chat_request()
    fields = "".join(f"{name}: {value}\r\n" for name, value in bodies.headers().items())
    head = f"POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{fields}"
    answer = exchange(gateway, f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    assert answer.startswith(b"HTTP/1.1 200")
    assert upstream.requests[0].path == bodies.CHAT


@pytest.mark.parametrize("path", ["/v2/models/a%2fb/infer", "/v2/models/%2e%2e/infer", "/v1%5cx"])
def test_escaped_slashes_are_refused(gateway: LiveGateway, upstream: Upstream, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 0\r\n"
    fields = "".join(f"{name}: {value}\r\n" for name, value in bodies.headers("full").items())
    answer = exchange(gateway, f"{head}{fields}\r\n".encode())
    assert answer.split(b" ", 2)[1] in {b"400", b"404"}
    assert upstream.requests == []

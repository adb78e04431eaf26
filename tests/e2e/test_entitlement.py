"""Through a real Envoy: what is not granted or not well-formed never reaches the model server, and
refusals of one class are one answer, byte for byte.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.e2e import bodies
from tests.e2e.client import exchange, post
from tests.e2e.gateway import KEYS, LiveGateway, live_gateway
from tests.e2e.upstream import Upstream, answering

SCHEMA = {"properties": {"messages": {"minItems": 1, "maxItems": 4}}}
CHANGES = (
    ("routes:\n", "credentials: {keys: {kind: api_key, strength: 2}}\nroutes:\n"),
    (
        "{path: /v1/chat/completions, dialect: openai_chat}",
        (
            "{path: /v1/chat/completions, dialect: openai_chat, input: {"
            "depth: 8, array: 100, string: 2000, body: 64KiB, headers: 4KiB, "
            "schema: 'file:chat.json', "
            "fields: {messages.content: {max_length: 1000, characters: text}}}}"
        ),
    ),
    ("dialect: openai_embeddings}", "dialect: openai_embeddings, risk: high}"),
    (
        "label: label}}\n",
        (
            "label: label}}\n    input: {batch: 8, tensors: {image: "
            "{datatype: FP32, shape: [-1, 2], min: 0, max: 1}}}\n"
        ),
    ),
    (
        'full: {models: ["*"], fidelity: full}',
        'full: {models: ["*"], fidelity: full, high_risk: ["POST /v1/embeddings"]}',
    ),
    (
        "minilm], fidelity: standard}",
        (
            "minilm], fidelity: standard, allow: {streaming: false, tools: false, batch: 4, "
            "choices: 1, max_tokens: 100}, exceptions: [{models: [text-b], allow: {tools: true}}]}"
        ),
    ),
)


def changed(text: str) -> str:
    for old, new in CHANGES:
        assert old in text
        text = text.replace(old, new, 1)
    return text


@pytest.fixture(scope="module")
def entitling(scripted: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    directory: Path = tmp_path_factory.mktemp("entitling")
    (directory / "chat.json").write_bytes(orjson.dumps(SCHEMA))
    with live_gateway(directory, scripted.port, policy=changed) as gateway:
        yield gateway


def said(content: Any) -> bytes:
    return bodies.chat_request(messages=[{"role": "user", "content": content}])


def image(shape: list[int], data: list[Any]) -> bytes:
    tensor = {"name": "image", "shape": shape, "datatype": "FP32", "data": data}
    return orjson.dumps({"inputs": [tensor]})


def deep(levels: int) -> list[Any]:
    nested: list[Any] = []
    for _ in range(levels):
        nested = [nested]
    return nested


SOME_TOOLS = [{"type": "function", "function": {"name": "f"}}]
REFUSED: list[tuple[str, bytes, int]] = [
    (bodies.CHAT, bodies.chat_request(stream=True), 403),
    (bodies.CHAT, bodies.chat_request(tools=SOME_TOOLS), 403),
    (bodies.CHAT, bodies.chat_request(n=2), 403),
    (bodies.CHAT, bodies.chat_request(max_completion_tokens=101), 403),
    (bodies.CHAT, bodies.chat_request(model="forbidden", stream=True), 404),
    (bodies.CHAT, bodies.chat_request(model="forbidden", tools=SOME_TOOLS), 404),
    (bodies.CHAT, bodies.chat_request(messages=[]), 400),
    (bodies.CHAT, said("a\u200bb"), 400),
    (bodies.CHAT, said("a" * 1001), 400),
    (bodies.CHAT, said("a" * 2001), 400),
    (bodies.CHAT, said(deep(9)), 400),
    (bodies.CHAT, said(0).replace(b":0", b":" + b"[" * 900 + b"]" * 900), 400),
    (bodies.CHAT, said([1] * 101), 400),
    (bodies.CHAT, said("a" * 70_000), 413),
    (bodies.EMBEDDINGS, bodies.embeddings_request(), 404),
    (bodies.INFER, image([1, 2], [0, 1.5]), 400),
    (bodies.INFER, image([1, 3], [0, 1, 1]), 400),
    (bodies.INFER, image([1, 2], [0]), 400),
    (bodies.INFER, image([5, 2], [0] * 10), 403),
    (bodies.INFER, image([9, 2], [0] * 18), 403),
    ("/v2/models/forbidden/infer", image([1, 2], [0, 1]), 404),
]


def test_what_is_refused_never_reaches_the_model_server(
    entitling: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = answering(bodies.chat_answer())
    for path, body, status in REFUSED:
        response = post(entitling, path, body)
        assert response.status_code == status, (path, body[:80], response.text)
        assert upstream.requests == []
    crowded = {"x-more": "y" * 5000}
    response = post(entitling, bodies.CHAT, bodies.chat_request(), headers=crowded)
    assert (response.status_code, upstream.requests) == (431, [])
    for body in (bodies.chat_request(), bodies.chat_request(model="text-b", tools=SOME_TOOLS)):
        assert post(entitling, bodies.CHAT, body).status_code == 200
    assert [orjson.loads(request.body)["max_tokens"] for request in upstream.requests] == [100, 100]


def test_a_route_of_high_risk_is_there_for_whom_it_is_granted(
    entitling: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = answering(bodies.embeddings_answer())
    response = post(entitling, bodies.EMBEDDINGS, bodies.embeddings_request(), "full")
    assert response.status_code == 200
    assert len(upstream.requests) == 1


def raw(gateway: LiveGateway, path: str, body: bytes, method: str = "POST") -> bytes:
    """An answer as it comes over the wire, but for the time of day and the request's own name."""
    head = [
        f"{method} {path} HTTP/1.1",
        "host: models.example",
        f"authorization: Bearer {KEYS['standard']}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        "connection: close",
    ]
    answer = exchange(gateway, "\r\n".join([*head, "", ""]).encode() + body)
    assert re.search(rb"\r\nx-request-id: [0-9a-f]{16}\r\n", answer)
    return re.sub(rb"\r\n(date|x-request-id): [^\r]*", b"", answer)


CLASSES: list[list[tuple[str, str, bytes]]] = [
    [
        ("POST", bodies.CHAT, bodies.chat_request(model=model, **more))
        for model in ("forbidden", "no-such-model")
        for more in ({}, {"stream": True}, {"tools": SOME_TOOLS}, {"max_tokens": 1000})
    ],
    [
        ("POST", f"/v2/models/{model}/infer", body)
        for model in ("forbidden", "no-such-model")
        for body in (image([1, 2], [0, 1]), image([9, 9], []), b"{")
    ],
    [
        ("POST", path, body)
        for path in (bodies.EMBEDDINGS, "/v1/embeddingz", "/nowhere")
        for body in (bodies.embeddings_request(), b"{}", b"{")
    ],
    [
        ("GET", bodies.EMBEDDINGS, b""),
        ("PUT", bodies.EMBEDDINGS, b""),
        ("GET", "/nowhere", b""),
        ("PUT", "/nowhere", b""),
    ],
    [
        ("POST", bodies.CHAT, bodies.chat_request(model=model, max_tokens=tokens))
        for model in ("tiny-lm", "text-a", "text-b")
        for tokens in (101, 10_000, -1)
    ],
]


@pytest.mark.parametrize("alike", CLASSES, ids=range(len(CLASSES)))
def test_no_byte_of_a_refusal_depends_on_its_reason(
    entitling: LiveGateway, upstream: Upstream, alike: list[tuple[str, str, bytes]]
) -> None:
    answers = {raw(entitling, path, body, method) for method, path, body in alike}
    assert len(answers) == 1, answers
    assert upstream.requests == []


def test_refused_requests_count_as_requests(entitling: LiveGateway, upstream: Upstream) -> None:
    upstream.script = answering(bodies.chat_answer())
    bad = [post(entitling, bodies.CHAT, said("\0"), "slow").status_code for _ in range(2)]
    assert bad == [400, 400]
    assert post(entitling, bodies.CHAT, bodies.chat_request(), "slow").status_code == 429
    assert upstream.requests == []

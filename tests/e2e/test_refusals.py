"""Through a real Envoy: nothing of a refused request reaches the model server, whatever the class;
no byte of the answer depends on the cause; the record alone has it; and clients do not try in vain.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anthropic
import httpx
import openai
import orjson
import pytest

from extproc.auditor.keys import new_pair
from extproc.auditor.query import Question, ask
from tests.e2e import bodies
from tests.e2e.client import exchange
from tests.e2e.gateway import KEYS, LiveGateway, live_gateway, principal
from tests.e2e.upstream import Upstream, answering
from tests.issuer import AUDIENCE, EC, NAME, OTHER_EC, RSA, confused, jwks, token

Asking = tuple[list[httpx.Request], Callable[..., Any]]
MESSAGES: Any = [{"role": "user", "content": "hello"}]
PAIR = "/v1/embeddings"
QUICK = "xk-e2e-quick"
CREDENTIALS = f"""\
audit: {{path: audit.jsonl, key: "file:audit.pem"}}
credentials:
  keys: {{kind: api_key}}
  beside: {{kind: api_key, headers: [x-api-key], strength: 2}}
  tokens: {{kind: jwt, issuer: "{NAME}", audience: "{AUDIENCE}", jwks: "file:jwks.json",
    algorithms: [RS256, ES256], tenant: org}}

routes:
  - {{path: /v1/messages, dialect: anthropic_messages}}
  - {{path: /embed, dialect: {{kind: tei_embed, model: minilm}}, input: {{batch: 2}}}}
  - {{path: /own, dialect: {{kind: generic, request: {{x: pass}}, answer: {{y: text}}}}}}
  - {{path: /hidden, dialect: openai_completions, risk: high}}
"""
TOGETHER = "dialect: openai_embeddings, credentials: {all_of: [beside, tokens]}}"
INPUT = "input: {headers: 8KiB, body: 64KiB, fields: {messages.content: {max_length: 100}}}"
LESS = "allow: {tools: false, batch: 4}, exceptions: [{models: [text-secret], deny: true}]"
LIMIT = "{name: second, per: tenant, count: requests, max: 1, window: 1s}"
CHANGES = (
    ("routes:\n", CREDENTIALS),
    ("dialect: openai_embeddings}", TOGETHER),
    ("dialect: openai_chat}", f"dialect: openai_chat, {INPUT}}}"),
    ('full: {models: ["*"]', 'full: {high_risk: [POST /hidden], models: ["*"]'),
    ("minilm], fidelity: standard}", f"minilm], fidelity: standard, {LESS}}}"),
    ("tenants:\n", "tenants:\n  quick: {policy: quick, principals: [QUICK]}\n"),
    (
        "  slow:\n",
        f'  quick: {{models: ["*"], fidelity: standard, limits: [{LIMIT}]}}\n  slow:\n',
    ),
)


def changed(text: str) -> str:
    for old, new in CHANGES:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text.replace("QUICK", f'"{principal(QUICK)}"')


@dataclass(frozen=True)
class Refusing:
    gateway: LiveGateway
    folder: Path

    def causes(self) -> dict[str, tuple[str, int]]:
        """By the name that a client was told: the cause and the status."""
        answer = ask([self.folder / "audit.jsonl"], Question(limit=1000))
        rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
        return {row["request"]: (row["reason"], row["status"]) for row in rows}


@pytest.fixture(scope="module")
def refusing(scripted: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Refusing]:
    folder = tmp_path_factory.mktemp("refusing")
    (folder / "jwks.json").write_bytes(jwks(RSA, EC))
    (folder / "audit.pem").write_bytes(new_pair()[0])
    with live_gateway(folder, scripted.port, policy=changed) as gateway:
        yield Refusing(gateway, folder)
        assert gateway.fail_open_events() == 0


def now() -> float:
    return datetime.now(UTC).timestamp()


def made(*arguments: Any, lasting: float = 300, **claims: Any) -> str:
    times = {"iat": now() - 5, "exp": now() + lasting}
    return token(*arguments, **{"org": "standard", **times, **claims})


def bearer(value: str) -> list[str]:
    return [f"authorization: Bearer {value}"]


OWN = bearer(KEYS["standard"])
STRANGERS: Mapping[str, tuple[Callable[[], list[str]], str]] = {
    "nothing": (list, "credential_missing"),
    "unknown key": (lambda: bearer("xk-nobody"), "key_unknown"),
    "another scheme": (lambda: ["authorization: Basic YTpi"], "token_malformed"),
    "two keys": (lambda: [*OWN, f"api-key: {KEYS['full']}"], "key_ambiguous"),
    "two fields": (lambda: [*OWN, *OWN], "token_malformed"),
    "joined": (lambda: bearer(f"{KEYS['standard']},{KEYS['standard']}"), "token_malformed"),
    "cut key": (lambda: bearer(KEYS["standard"][:-1]), "key_unknown"),
    "oversized key": (lambda: ["x-api-key: " + "k" * 3000], "key_malformed"),
    "expired": (lambda: bearer(made(lasting=-120)), "token_expired"),
    "not yet": (lambda: bearer(made(nbf=now() + 120)), "token_early"),
    "another audience": (lambda: bearer(made(aud="https://x.example")), "token_audience"),
    "another issuer": (lambda: bearer(made(iss="https://x.example")), "token_issuer"),
    "another key": (lambda: bearer(made(OTHER_EC, "ES256")), "token_key_unknown"),
    "forged": (lambda: bearer(made(OTHER_EC, "ES256", {"kid": "ec-1"})), "token_signature"),
    "alg confusion": (lambda: bearer(confused(RSA)), "token_algorithm"),
    "key confusion": (lambda: bearer(made(RSA, "RS256", {"kid": "ec-1"})), "token_key_unknown"),
    "cut token": (lambda: bearer(made()[:-20]), "token_signature"),
    "two tokens": (lambda: [*bearer(made()), *bearer(made())], "token_malformed"),
    "oversized token": (lambda: bearer(made(pad="x" * 7000)), "token_malformed"),
    "nobody's tenant": (lambda: bearer(made(org="nobody")), "token_tenant"),
    "two tenants": (lambda: [*bearer(made()), f"x-api-key: {KEYS['full']}"], "tenants_differ"),
    "signature": (lambda: ["signature: s=:AAAA:", "signature-input: s=()"], "credential_missing"),
}


def raw(
    gateway: LiveGateway, fields: list[str], path: str = bodies.CHAT, body: bytes | None = None,
    method: str = "POST", kind: str = "application/json",
) -> tuple[str, bytes]:  # fmt: skip
    """The name of an answer, and all else of it as it came over the wire but the time of day."""
    content = bodies.chat_request() if body is None else body
    head = [f"{method} {path} HTTP/1.1", "host: models.example", *fields, f"content-type: {kind}",
            f"content-length: {len(content)}", "connection: close"]  # fmt: skip
    answer = exchange(gateway, "\r\n".join([*head, "", ""]).encode() + content)
    [name] = re.findall(rb"\r\nx-request-id: ([0-9a-f]{16})\r\n", answer)
    return name.decode(), re.sub(rb"\r\n(date|x-request-id): [^\r]*", b"", answer)


def test_strangers_get_one_answer_whatever_is_wrong_and_the_record_says_what(
    refusing: Refusing, upstream: Upstream
) -> None:
    upstream.script = answering(bodies.chat_answer())
    seen, expected = set(), {}
    for fields, cause in STRANGERS.values():
        for path in (bodies.CHAT, PAIR, "/hidden", "/nowhere"):
            name, answer = raw(refusing.gateway, fields(), path)
            seen.add(answer)
            expected[name] = (cause, 401)
    assert len(seen) == 1, seen
    assert upstream.requests == []
    refusing.gateway.until(lambda: expected.keys() <= refusing.causes().keys())
    found = refusing.causes()
    assert {name: found[name] for name in expected} == expected


SECRET_MODEL = bodies.chat_request(model="text-secret")
TOOLS = [{"type": "function", "function": {"name": "f"}}]
LONG = [{"role": "user", "content": "a" * 101}]
CLASSES: list[tuple[int, list[tuple[str, dict[str, Any]]]]] = [
    (404, [("route_not_granted", {"path": "/hidden"}), ("not_found", {"path": "/nowhere"}),
           ("route_not_granted", {"path": "/hidden", "method": "GET", "body": b""}),
           ("not_found", {"path": "/nowhere", "method": "GET", "body": b""})]),
    (404, [("model_denied", {"body": SECRET_MODEL}),
           ("model_not_found", {"body": bodies.chat_request(model="nobody")})]),
    (404, [("query_unknown", {"path": f"{bodies.CHAT}?a"}),
           ("query_unknown", {"path": f"{bodies.CHAT}?b=1"})]),
    (405, [("method_not_allowed", {"method": name, "body": b""}) for name in ("GET", "PUT")]),
    (415, [("unsupported_media_type", {"kind": "text/plain"}),
           ("content_coding", {"kind": "application/json\r\ncontent-encoding: gzip"})]),
    (431, [("request_headers_too_large", {"kind": f"application/json\r\nx-a: {'a' * 9000}"})]),
    (403, [("feature_tools", {"body": bodies.chat_request(tools=TOOLS, model=model)})
           for model in ("tiny-lm", "text-a")]),
    (413, [("input_too_large", {"body": b"a" * size}) for size in (70_000, 80_000)]),
    (400, [("input_field", {"body": bodies.chat_request(messages=LONG)})]),
    (400, [("invalid_request", {"body": b"{"})]),
    (400, [("invalid_request", {"path": "/own", "body": b'{"z":1}'})]),
    (422, [("invalid_request", {"path": "/embed", "body": b"{"})]),
    (422, [("input_batch", {"path": "/embed", "body": b'{"inputs":["a","b","c"]}'})]),
]  # fmt: skip


@pytest.mark.parametrize(("status", "asked"), CLASSES, ids=range(len(CLASSES)))
def test_a_class_has_one_answer_and_none_of_it_reaches_the_model_server(
    refusing: Refusing, upstream: Upstream, status: int, asked: list[tuple[str, dict[str, Any]]]
) -> None:
    upstream.script = answering(bodies.chat_answer())
    answers = {raw(refusing.gateway, OWN, **more): cause for cause, more in asked}
    assert len({answer for _, answer in answers}) == 1, answers
    head = next(answer for _, answer in answers).partition(b"\r\n\r\n")[0]
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nx-should-retry: false" in head
    assert upstream.requests == []
    names = {name for name, _ in answers}
    refusing.gateway.until(lambda: names <= refusing.causes().keys())
    found = refusing.causes()
    assert {name: found[name] for name, _ in answers} == {
        name: (cause, status) for (name, _), cause in answers.items()
    }


def test_a_head_request_and_an_old_client_are_refused_alike(refusing: Refusing) -> None:
    _, get = raw(refusing.gateway, [], "/nowhere", b"", "GET")
    _, head = raw(refusing.gateway, [], "/nowhere", b"", "HEAD")
    assert head.partition(b"\r\n\r\n") == (get.partition(b"\r\n\r\n")[0], b"\r\n\r\n", b"")
    old = exchange(refusing.gateway, b"GET /nowhere HTTP/1.0\r\nhost: a\r\n\r\n")
    assert old.split(b" ", 2)[1] == b"401"
    assert old.partition(b"\r\n\r\n")[2] == get.partition(b"\r\n\r\n")[2]


def test_a_key_and_a_token_go_together_each_in_its_own_field(
    refusing: Refusing, upstream: Upstream
) -> None:
    upstream.script = answering(bodies.embeddings_answer())
    key, body = f"x-api-key: {KEYS['standard']}", bodies.embeddings_request()
    both = [*bearer(made()), key]
    assert raw(refusing.gateway, both, PAIR, body)[1].startswith(b"HTTP/1.1 200")
    assert len(upstream.requests) == 1
    assert not {"authorization", "x-api-key"} & upstream.requests[0].headers.keys()
    for fields in ([key], bearer(made()), [*bearer(made(lasting=-99)), key],
                   [*bearer(made(org="full")), key], [*bearer(KEYS["standard"]), key],
                   [*bearer(made()), key, key]):  # fmt: skip
        assert raw(refusing.gateway, fields, PAIR, body)[1].startswith(b"HTTP/1.1 401")
    assert len(upstream.requests) == 1


# How often real clients ask.


@contextmanager
def of_openai(refusing: Refusing, key: str) -> Iterator[Asking]:
    asked: list[httpx.Request] = []
    hooks: Any = {"request": [asked.append]}
    with openai.DefaultHttpxClient(event_hooks=hooks) as http:
        url = f"{refusing.gateway.url}/v1"
        client: Any = openai.OpenAI(base_url=url, api_key=key, http_client=http)
        about = {"model": "tiny-lm", "messages": MESSAGES}
        yield asked, lambda **more: client.chat.completions.create(**{**about, **more})


@contextmanager
def of_anthropic(refusing: Refusing, key: str) -> Iterator[Asking]:
    asked: list[httpx.Request] = []
    hooks: Any = {"request": [asked.append]}
    with anthropic.DefaultHttpxClient(event_hooks=hooks) as http:
        url = refusing.gateway.url
        client: Any = anthropic.Anthropic(base_url=url, api_key=key, http_client=http)
        about = {"model": "tiny-lm", "messages": MESSAGES, "max_tokens": 5}
        yield asked, lambda **more: client.messages.create(**{**about, **more})


LIBRARIES: list[tuple[Any, Any]] = [(openai, of_openai), (anthropic, of_anthropic)]
real_clients = pytest.mark.parametrize(("library", "of"), LIBRARIES, ids=["openai", "anthropic"])


@real_clients
def test_real_clients_ask_once_where_asking_again_is_in_vain(
    refusing: Refusing, upstream: Upstream, library: Any, of: Any
) -> None:
    for key, more, error in (
        ("xk-nobody", {}, library.AuthenticationError),
        (KEYS["standard"], {"model": "nobody"}, library.NotFoundError),
        (KEYS["standard"], {"extra_body": {"surprise": 1}}, library.BadRequestError),
    ):
        with of(refusing, key) as (asked, call):
            with pytest.raises(error):
                call(**more)
            assert len(asked) == 1, error
    assert upstream.requests == []


@real_clients
def test_real_clients_do_not_try_an_exhausted_limit_again(
    refusing: Refusing, upstream: Upstream, library: Any, of: Any
) -> None:
    with of(refusing, KEYS["slow"]) as (asked, call):
        for _ in range(2):  # refused requests count, too
            with pytest.raises(library.APIStatusError):
                call(extra_body={"surprise": 1})
        before = len(asked)
        with pytest.raises(library.RateLimitError) as refused:
            call()
    assert len(asked) == before + 1
    assert int(refused.value.response.headers["retry-after"]) > 60
    assert upstream.requests == []


@real_clients
def test_real_clients_come_back_after_a_short_wait(
    refusing: Refusing, upstream: Upstream, library: Any, of: Any
) -> None:
    with of(refusing, QUICK) as (asked, call):
        for _ in range(2):
            with pytest.raises(library.BadRequestError):
                call(extra_body={"surprise": 1})
    assert len(asked) >= 3
    assert upstream.requests == []


# What Envoy refuses before anybody is asked.

MALFORMED: Mapping[str, bytes] = {
    "no host": b"GET / HTTP/1.1",
    "an escaped slash": b"GET /a%2fb HTTP/1.1\r\nhost: a",
}
UNREADABLE: Mapping[str, bytes] = {
    "no HTTP": b"\x00\x01",
    "two lengths": b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2",
    "an underscore": b"GET / HTTP/1.1\r\nhost: a\r\nx_tenant: full",
    "fields too large": b"GET / HTTP/1.1\r\nhost: a\r\nx-a: " + b"a" * 40_000,
}


@pytest.mark.parametrize("what", MALFORMED)
def test_what_envoy_refuses_itself_has_the_words_of_the_sidecar(
    refusing: Refusing, upstream: Upstream, what: str
) -> None:
    request = MALFORMED[what]
    answer = exchange(refusing.gateway, request + b"\r\nconnection: close\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"\r\nx-should-retry: false" in head
    assert b"\r\ncontent-type: application/problem+json" in head
    said = orjson.loads(body)
    assert (said["status"], said["type"]) == (400, "about:blank")
    assert b"envoy" not in answer.lower().replace(b"server: envoy", b"")
    assert upstream.requests == []


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_its_codec_cannot_read_ends_the_connection_without_a_word(
    refusing: Refusing, upstream: Upstream, what: str
) -> None:
    assert exchange(refusing.gateway, UNREADABLE[what] + b"\r\n\r\n") == b""
    assert upstream.requests == []

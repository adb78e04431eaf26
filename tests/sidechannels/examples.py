"""Examples of what shapes answers, for the documents: python -m tests.sidechannels.examples NAME.

``timing``, ``length`` or ``stream``: the same questions through a real Envoy, asked by a tenant
without it and by one with it.  Nothing here is made up, so no two runs give the same thousandths.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import orjson

from tests.e2e.client import connection
from tests.e2e.gateway import KEYS, LiveGateway, live_gateway
from tests.e2e.upstream import Reply, Request, Upstream

SHAPINGS: Final = {
    "timing": "timing: {grid: 250ms}",
    "length": "length: {buckets: 1024}",
    "stream": "stream: {tick: 50ms, size: 512}",
}
BEFORE, AFTER = "standard", "labels"
"""The tenants; both are served at one tier."""
QUESTIONS: Final[list[tuple[str, dict[str, Any]]]] = [
    ("yes", {"text": "yes", "seconds": 0.002}),
    ("a long answer", {"text": "because " * 60, "seconds": 0.08}),
    ("a forbidden model", {"model": "gpt-secret"}),
]
EVENTS: Final = [(0.0, "Because"), (0.03, " light"), (0.12, " takes"), (0.02, " its time.")]
"""Seconds before each, and what it says."""


def main() -> None:
    name = sys.argv[1]
    with tempfile.TemporaryDirectory(prefix="extproc-example-") as directory:
        print("\n".join(lines(name, Path(directory))))


def lines(name: str, directory: Path) -> list[str]:
    """What the client sees, without the shaping and with it."""
    told: dict[str, Callable[[LiveGateway], Iterator[str]]] = {
        "timing": _timing,
        "length": _length,
        "stream": _stream,
    }
    with shaped(name, directory) as gateway:
        return [SHAPINGS[name], *told[name](gateway)]


@contextmanager
def shaped(name: str, directory: Path) -> Iterator[LiveGateway]:
    """A gateway with two tenants of one tier, one of them shaped."""

    def policy(text: str) -> str:
        before = 'labels: {models: ["*"], fidelity: labels}'
        assert before in text
        models = '["text-*", digits, tiny-lm, minilm]'
        return text.replace(
            before, f"labels: {{models: {models}, fidelity: standard, {SHAPINGS[name]}}}"
        )

    with Upstream() as upstream:
        upstream.script = _answer
        with live_gateway(directory, upstream.port, policy=policy) as gateway:
            for tenant in (BEFORE, AFTER):  # what is done once is done before anybody looks
                asked(gateway, tenant, QUESTIONS[0][1])
            yield gateway


async def _answer(request: Request, reply: Reply) -> None:
    body = orjson.loads(request.body)
    said = orjson.loads(body["messages"][0]["content"])
    if not body.get("stream"):
        await _pass(said["seconds"])
        message = {"role": "assistant", "content": said["text"]}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        await reply.document(orjson.dumps({"id": "c1", "choices": [choice]}))
        return
    await reply.stream_head()
    for seconds, text in EVENTS:
        await _pass(seconds)
        event = {"id": "c1", "choices": [{"index": 0, "delta": {"content": text}}]}
        await reply.chunk(b"data: " + orjson.dumps(event) + b"\n\n")
    await reply.chunk(b"data: [DONE]\n\n")
    await reply.end()


async def _pass(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    loop.call_later(seconds, over.set_result, None)
    await over


def _timing(gateway: LiveGateway) -> Iterator[str]:
    yield f"  {'':18} {'before':>8} {'after':>8}"
    for title, question in QUESTIONS:
        before, after = (asked(gateway, tenant, question)[-1][0] for tenant in (BEFORE, AFTER))
        yield f"  {title:18} {before * 1000:5.0f} ms {after * 1000:5.0f} ms"


def _length(gateway: LiveGateway) -> Iterator[str]:
    yield f"  {'':18} {'before':>8} {'after':>8}"
    for title, question in QUESTIONS:
        before, after = (len(body(gateway, tenant, question)) for tenant in (BEFORE, AFTER))
        yield f"  {title:18} {before:6d} B {after:6d} B"
    for word, tenant in (("before", BEFORE), ("after", AFTER)):
        yield f"  {word:7} {_short(body(gateway, tenant, QUESTIONS[0][1]).decode())}"


def _short(text: str) -> str:
    return text if len(text) <= 160 else f"{text[:140]}… {text[-10:]}"


def _stream(gateway: LiveGateway) -> Iterator[str]:
    question = {"stream": True, "text": "", "seconds": 0}
    for word, tenant in (("before", BEFORE), ("after", AFTER)):
        _, *pieces = asked(gateway, tenant, question)
        shown = [f"{seconds * 1000:.0f} ms {len(piece)} B" for seconds, piece in pieces if piece]
        yield f"  {word:7} {', '.join(shown)}"


def body(gateway: LiveGateway, tenant: str, question: dict[str, Any]) -> bytes:
    _, *pieces = asked(gateway, tenant, question)
    return b"".join(piece for _, piece in pieces)


def asked(gateway: LiveGateway, tenant: str, question: dict[str, Any]) -> list[tuple[float, bytes]]:
    """The head of an answer, then its body as it comes: seconds since the request, and bytes."""
    model, stream = question.get("model", "tiny-lm"), question.get("stream", False)
    messages = [{"role": "user", "content": orjson.dumps(question).decode()}]
    sent = orjson.dumps({"model": model, "messages": messages, "stream": stream})
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nconnection: close\r\n"
        f"authorization: Bearer {KEYS[tenant]}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(sent)}\r\n\r\n"
    )
    with connection(gateway) as raw, raw.makefile("rb") as answer:
        begun = time.perf_counter()
        raw.sendall(head.encode() + sent)
        return [(time.perf_counter() - begun, piece) for piece in _pieces(answer)]


def _pieces(answer: Any) -> Iterator[bytes]:
    """The head, then each chunk, or the whole body where it is sent as a whole."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += answer.readline()
    yield head
    if b"transfer-encoding: chunked" not in head.lower():
        yield answer.read()
        return
    while size := int(answer.readline(), 16):
        yield answer.read(size + 2)[:-2]


if __name__ == "__main__":
    main()

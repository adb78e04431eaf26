"""Through a real Envoy: a team's policy file that would let everything out, under a base file that
does not.
"""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from extproc.gateway.up import serve_command
from tests.e2e import bodies
from tests.e2e.client import post
from tests.e2e.gateway import LiveGateway, live_gateway
from tests.e2e.upstream import Upstream, answering

BASE = """\
version: 1
overrides:
  fidelities: {"*": {probabilities: [{kind: label_only}], logprobs: [{kind: drop}]}}
  policies: {"*": {mode: enforce, allow: {tools: false}}}
  routes: {"POST /v1/embeddings": {input: {batch: 1}}}
"""
CHANGES = (
    (
        "  standard: {models:",
        "  standard: {mode: shadow, exceptions: [{fidelity: full, allow: {tools: true}}], models:",
    ),
    ("/v1/embeddings, dialect", '"/v1/{any}", dialect'),
)
TOOLS = [{"type": "function", "function": {"name": "f"}}]


def generous(text: str) -> str:
    for old, new in CHANGES:
        assert old in text
        text = text.replace(old, new, 1)
    return text


@pytest.fixture(scope="module")
def bound(scripted: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    directory: Path = tmp_path_factory.mktemp("bound")
    base = directory / "base.yaml"
    base.write_text(BASE)

    def command(policy: Path) -> tuple[str, ...]:
        return (*serve_command(policy), "--base", str(base))

    with live_gateway(directory, scripted.port, policy=generous, command=command) as gateway:
        yield gateway


def test_no_tier_and_no_exception_lets_out_what_the_platform_holds_back(
    bound: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = answering(bodies.chat_answer())
    response = post(bound, bodies.CHAT, bodies.chat_request(logprobs=True))
    assert response.status_code == 200
    assert {choice["logprobs"] for choice in response.json()["choices"]} == {None}
    assert b"logprobs" not in upstream.requests[0].body


def test_what_the_platform_denies_is_refused_before_the_model_server(
    bound: LiveGateway, upstream: Upstream
) -> None:
    assert post(bound, bodies.CHAT, bodies.chat_request(tools=TOOLS)).status_code == 403
    two = orjson.dumps({"model": "minilm", "input": ["a", "b"]})
    assert post(bound, bodies.EMBEDDINGS, two).status_code == 400
    assert upstream.requests == []

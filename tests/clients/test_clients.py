"""Real clients of other APIs, each in an environment of its own, read what a tier lets through.

See scripted.py.
"""

from collections.abc import Iterator
from typing import Any, Final

import pytest
import yaml

from tests.clients.scripted import read
from tests.corpus.exchanges import Recorded, recorded
from tests.e2e.gateway import KEYS, LiveGateway, live_gateway, principal
from tests.e2e.upstream import Reply, Request, Upstream

pytestmark = pytest.mark.e2e

NAMES: Final = (
    "cohere_chat_document",
    "cohere_chat_stream",
    "cohere_embed_v2",
    "rerank_v2",
    "gemini_generate_document",
    "gemini_generate_events",
    "gemini_embed_batch",
    "kserve_v2_json",
    "tensorflow_rest_row",
)
EXCHANGES: Final = {one.name: one for one in recorded() if one.name in NAMES}
TIER: Final[dict[str, Any]] = {
    "text": "pass",
    "label": "pass",
    "probabilities": [{"kind": "round", "digits": 2}],
    "score": [{"kind": "round", "digits": 2}],
    "embedding": [{"kind": "quantize", "bits": 8}],
}


def policy(text: str) -> str:
    about = yaml.safe_load(text)
    routes = {one.route.path: one.configuration for one in EXCHANGES.values()}
    about["routes"] = [{"path": path, "dialect": dialect} for path, dialect in routes.items()]
    about["fidelities"] = {"tier": TIER}
    about["policies"] = {"policy": {"models": ["*"], "fidelity": "tier"}}
    about["tenants"] = {"acme": {"policy": "policy", "principals": [principal(KEYS["full"])]}}
    return yaml.safe_dump(about, sort_keys=False)


async def answer(request: Request, reply: Reply) -> None:
    one = _recorded(request)
    fields = {"content-type": one.content_type, **one.answer_headers}
    await reply.head(200, {**fields, "content-length": str(len(one.answer))})
    await reply.raw(one.answer)


def _recorded(request: Request) -> Recorded:
    """The exchange on this path, a stream where one was asked for."""
    path, _, _ = request.path.partition("?")
    fitting = [one for one in EXCHANGES.values() if one.route.match(path) is not None]
    stream = "alt=sse" in request.path or b'"stream":true' in request.body.replace(b" ", b"")
    return next(one for one in fitting if (one.media_type == "text/event-stream") is stream)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    with Upstream() as upstream:
        upstream.script = answer
        with live_gateway(tmp_path_factory.mktemp("c"), upstream.port, policy=policy) as live:
            yield live
            assert live.fail_open_events() == 0


def test_coheres_client_reads_chats_streams_embeddings_and_rankings(gateway: LiveGateway) -> None:
    found = read(gateway.url, "cohere_client.py")
    assert "text" in {part["type"] for part in found["chat"]["message"]["content"]}
    assert {event["type"] for event in found["stream"]} >= {"content-delta", "message-end"}
    assert len(found["embed"]["embeddings"]["float"]) == 2
    assert [ranked["index"] for ranked in found["rerank"]["results"]]


def test_googles_client_reads_answers_streams_and_embeddings(gateway: LiveGateway) -> None:
    found = read(gateway.url, "genai_client.py")
    assert found["generate"]["candidates"][0]["content"]["parts"][0]["text"]
    assert any(part["candidates"] for part in found["stream"])
    assert len(found["embed"]["embeddings"]) == 2


def test_tritons_client_reads_tensors_whether_it_sends_json_or_octets(gateway: LiveGateway) -> None:
    found = read(gateway.url, "triton_client.py")
    assert found["http"] == found["http binary"]
    assert sum(found["http"][0]) == pytest.approx(1, abs=0.02)


def test_kserves_client_reads_both_versions(gateway: LiveGateway) -> None:
    found = read(gateway.url, "kserve_client.py")
    assert set(found["v2"]) >= {"probabilities"}
    assert found["v1"]["predictions"]

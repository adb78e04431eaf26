"""What a tenant gets, tier by tier, through real Envoy."""

import orjson
import pytest

from tests.e2e import bodies
from tests.e2e.client import post
from tests.e2e.gateway import LiveGateway
from tests.e2e.upstream import Upstream, answering


def test_probabilities_are_cut_and_rounded(gateway: LiveGateway, upstream: Upstream) -> None:
    upstream.script = answering(bodies.infer_answer())
    response = post(gateway, bodies.INFER, bodies.infer_request())
    assert response.status_code == 200
    outputs = {output["name"]: output["data"] for output in response.json()["outputs"]}
    # Of the three best, 0.98999 together, 99 hundredths are handed out by largest remainder.
    assert outputs == {"probabilities": [0.0, 0.6, 0.27, 0.12], "label": [1]}
    assert bodies.SECRET not in response.text


@pytest.mark.parametrize("tenant", ["standard", "labels"])
def test_a_chat_loses_what_the_tier_does_not_name(
    gateway: LiveGateway, upstream: Upstream, tenant: str
) -> None:
    upstream.script = answering(bodies.chat_answer())
    body = bodies.chat_request(logprobs=True, top_logprobs=5)
    answer = post(gateway, bodies.CHAT, body, tenant).json()
    choice = answer["choices"][0]
    assert choice["message"] == {"role": "assistant", "content": "hi"}
    assert choice["logprobs"] is None
    assert answer["model"] == "tiny-lm"
    assert "system_fingerprint" not in answer
    assert answer.get("usage") in (
        None,
        {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    )
    asked = orjson.loads(upstream.requests[0].body)
    assert "logprobs" not in asked
    assert "top_logprobs" not in asked


def test_the_model_server_sees_no_credential(gateway: LiveGateway, upstream: Upstream) -> None:
    upstream.script = answering(bodies.chat_answer())
    post(gateway, bodies.CHAT, bodies.chat_request())
    (request,) = upstream.requests
    assert "authorization" not in request.headers
    assert "accept-encoding" not in request.headers
    assert orjson.loads(request.body) == orjson.loads(bodies.chat_request())


def test_the_shadow_changes_nothing(gateway: LiveGateway, upstream: Upstream) -> None:
    upstream.script = answering(bodies.infer_answer())
    response = post(gateway, bodies.INFER, bodies.infer_request(), "shadow")
    assert response.content == bodies.infer_answer()

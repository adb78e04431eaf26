"""What Envoy's access log says of how an exchange ended, and what it does not say."""

from typing import Any

import orjson
import pytest

from tests.e2e import bodies
from tests.e2e.client import post
from tests.e2e.gateway import LiveGateway
from tests.e2e.upstream import Upstream, answering, streaming

CUT = bodies.chat_stream("one").partition(b"data: [DONE]")[0] + b"data: x\n\n"


def logged(gateway: LiveGateway, exchange: str) -> dict[str, Any]:
    """Envoy's line of an exchange, by the name that the client was told."""

    def found() -> list[dict[str, Any]]:
        lines = [line[line.find("{") :] for line in gateway.log if '"flags"' in line]
        return [one for one in map(orjson.loads, lines) if one["request_id"] == exchange]

    gateway.until(lambda: bool(found()))
    [line] = found()
    return line


@pytest.mark.parametrize(
    ("model", "stream", "outcome"),
    [("text-1", False, "served"), ("text-1", True, "cut"), ("gpt", False, "model_not_found")],
)
def test_an_exchange_is_logged_with_its_outcome_and_tier(
    gateway: LiveGateway, upstream: Upstream, model: str, stream: bool, outcome: str
) -> None:
    upstream.script = streaming(CUT) if stream else answering(bodies.chat_answer())
    answer = post(gateway, bodies.CHAT, bodies.chat_request(model=model, stream=stream))
    line = logged(gateway, answer.headers["x-request-id"])
    assert (line["outcome"], line["fidelity"]) == (outcome, "standard")
    assert line["shadow_would"] is None
    assert line["status"] == answer.status_code


def test_a_denial_is_logged_by_what_its_client_was_told(gateway: LiveGateway) -> None:
    answer = post(gateway, bodies.CHAT, b"{}", headers={"authorization": "Bearer xk-wrong"})
    line = logged(gateway, answer.headers["x-request-id"])
    assert (line["outcome"], line["shadow_would"], line["tenant"]) == ("invalid_api_key", None, "")
    assert "key_unknown" not in str(line)


def on_trial(gateway: LiveGateway, model: str) -> dict[str, Any]:
    """Envoy's line of a request on trial, whose client is told no name."""
    before = len(gateway.log)

    def found() -> list[str]:
        return [line for line in gateway.log[before:] if '"passed"' in line]

    answer = post(gateway, bodies.CHAT, bodies.chat_request(model=model), "shadow")
    assert answer.status_code == 200
    gateway.until(lambda: bool(found()))
    [line] = found()
    said: dict[str, Any] = orjson.loads(line[line.find("{") :])
    return said


def test_what_is_on_trial_is_logged_with_what_it_would_have_been(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = answering(bodies.chat_answer())
    for model, would in (("digits", "served"), ("other", "model_not_found")):
        line = on_trial(gateway, model)
        assert (line["outcome"], line["shadow_would"]) == ("passed", would)
        assert line["fidelity"] == "labels"

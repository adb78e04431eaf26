"""Through a real Envoy, with real detection: a thief is found, lowered, blocked, told of, and let
in again by an operator.  Who asks what customers ask notices nothing.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
import pytest

from extproc.__main__ import main
from extproc.detectors.calibration import Calibration, Threshold, seal, sketching_key
from extproc.detectors.reference import encode
from tests.detectors.questions import by_topic, questions, reference
from tests.e2e import bodies
from tests.e2e.authority import Authority
from tests.e2e.gateway import SECRET, LiveGateway, live_gateway
from tests.e2e.upstream import Upstream, answering
from tests.server.detection.receiver import SECRET as SIGNING
from tests.server.detection.receiver import Endpoint, verified

THIEF, CUSTOMER = "full", "rotated"
CLASS: Final = Threshold(8.0, {}, 3000, 3000, 0, 0.0, 0.001)
"""Nats, as a calibration of such questions finds."""
STEPS: Final = """\
  full:
    models: ["*"]
    fidelity: full
    escalation:
      - {above: 0.7, fidelity: labels, for: 1h}
      - {above: 0.97, deny: true, for: 24h}
"""


@dataclass
class Watched:
    gateway: LiveGateway
    folder: Path
    endpoint: Endpoint
    capsys: pytest.CaptureFixture[str]

    client: httpx.Client

    def ask(self, tenant: str, text: str) -> httpx.Response:
        body = bodies.embeddings_request(model="minilm", input=text)
        return self.client.post(bodies.EMBEDDINGS, content=body, headers=bodies.headers(tenant))

    def suspects(self, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
        """What the command prints."""
        control = ("--control", f"unix://{self.folder}/c", "--output", "json")
        monkeypatch.setattr(sys, "argv", ["extproc", "suspects", *arguments, *control])
        self.capsys.readouterr()
        assert main() == 0
        return json.loads(self.capsys.readouterr().out)


@pytest.fixture
def watched(
    tmp_path: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> Iterator[Watched]:
    upstream.script = answering(bodies.embeddings_answer())
    authority = Authority(tmp_path, "authority")
    calibration = Calibration(encode(reference(sketching_key(SECRET))), 0.7, {"user": CLASS}, 0.0)
    (tmp_path / "reference").write_bytes(seal(calibration, SECRET))
    (tmp_path / "alerts").write_bytes(SIGNING)

    def policy(text: str) -> str:
        both = text.replace('  full: {models: ["*"], fidelity: full}\n', STEPS)
        tenants = both.replace("rotated: {policy: rotated,", "rotated: {policy: full,")
        return tenants.replace(
            "routes:\n", f"{_detection(endpoint, authority)}routes:\n", 1
        ).replace("drain: 10s", f"drain: 10s\ncontrol: unix://{tmp_path}/c")

    with (
        Endpoint(authority.issue("receiver", "127.0.0.1")) as endpoint,
        live_gateway(tmp_path, upstream.port, policy=policy) as gateway,
        httpx.Client(base_url=gateway.url, timeout=30) as client,
    ):
        yield Watched(gateway, tmp_path, endpoint, capsys, client)
        assert gateway.fail_open_events() == 0


def _detection(endpoint: Endpoint, authority: Authority) -> str:
    alert = f"{{url: {endpoint.url}, secret: file:alerts, ca: {authority.own.certificate}}}"
    return f"detection: {{reference: reference, alerts: [{alert}]}}\n"


def test_a_thief_is_found_answered_told_of_and_let_in_again(
    watched: Watched, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = [text for topic, text in by_topic(700, 5) if topic == 3]
    stolen = questions(100, 9, stranger=True)
    exact = watched.ask(CUSTOMER, topic[0]).content
    kinds = [_kind(watched.ask(THIEF, text), exact) for text in stolen[:100]]
    found = [kinds.index(kind) for kind in ("exact", "lowered", "refused")]
    assert found == sorted(found), "answers only ever get less"
    assert found[-1] < 50
    assert set(kinds[found[-1] :]) == {"refused"}

    for text in topic[1:40]:
        assert watched.ask(CUSTOMER, text).content == exact, "a customer beside it"

    watched.gateway.until(lambda: len(watched.endpoint.received) >= 2)
    for each in watched.endpoint.received:
        verified(each.headers, each.body, SIGNING, float(each.headers["webhook-timestamp"]), set())
    told = [each.said["data"] for each in watched.endpoint.received]
    assert [each["after"] for each in told][-1] == "deny"
    assert {each["tenant"] for each in told} == {THIEF}

    (case,) = watched.suspects(monkeypatch)
    assert (case["subject"], case["step"]) == (THIEF, "deny")
    shown = watched.suspects(monkeypatch, "show", THIEF)
    assert max(shown["evidence"], key=shown["evidence"].get) == "novelty"
    assert shown["counts"]["queries"] >= found[-1]
    assert [*dict.fromkeys(each["after"] for each in shown["history"])] == ["fidelity", "deny"]

    watched.suspects(monkeypatch, "forgive", THIEF)
    assert _kind(watched.ask(THIEF, topic[41]), exact) == "exact"


def _kind(answer: httpx.Response, exact: bytes) -> str:
    if answer.status_code == 429:
        return "refused"
    assert answer.status_code == 200
    return "exact" if answer.content == exact else "lowered"


def test_what_an_alert_and_a_log_say_holds_nothing_that_was_asked(watched: Watched) -> None:
    stolen = questions(60, 9, stranger=True)
    for text in stolen:
        watched.ask(THIEF, text)
    watched.gateway.until(lambda: len(watched.endpoint.received) >= 1)
    said = orjson.dumps([each.said for each in watched.endpoint.received]).decode()
    words = {word for text in stolen for word in text.split()}
    for each in (said, *watched.gateway.log):
        assert not any(word in each for word in words)

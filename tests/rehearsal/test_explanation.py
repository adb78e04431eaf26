from pathlib import Path
from typing import Any

import pytest

from extproc.admission import Denied
from extproc.config import load
from extproc.credentials import Needed
from extproc.events import CheckedRequest
from extproc.refusal import UNKNOWN_ROUTE
from extproc.rehearsal.explanation import Explanation, _added, explain
from extproc.rehearsal.play import Played
from extproc.rehearsal.rendering import data, text
from tests.config.overlaying import written
from tests.rehearsal.example import (
    CHAT,
    EMBEDDINGS,
    FILE,
    INFER,
    chat,
    example,
    explained,
    table,
)

CONFIG = load(FILE)


def values(found: Explanation) -> dict[str, tuple[str, int | None]]:
    """By name: the value, and the line it stands on."""
    return {
        row.name.strip(): (row.value, row.origin.line if row.origin is not None else None)
        for row in found.rows
    }


def test_every_value_is_told_with_its_line_or_as_built_in() -> None:
    found = values(explained(CONFIG, CHAT, chat()))
    assert found["route"] == (CHAT, 9)
    assert found["dialect"] == ("openai_chat", 10)
    assert found["any credential of"] == ("keys", None)
    assert found["tenant"] == ("acme", 54)
    assert found["proven"] == ("assumed:acme, of strength 2", None)
    assert found["mode"] == ("enforce", None)
    assert found["fidelity"] == ("standard", 40)
    assert found["probabilities"] == ("top_k(k=3, other=false), round(digits=2)", 33)
    assert found["text"] == ("pass", 31)
    assert found["dropped"][0].startswith("votes, score, logprobs, tensor")
    assert found["tools"] == ("false", 42)
    assert found["streaming"] == ("true", None)
    assert found["input messages.content"] == ('{"max_length":4000,"characters":"text"}', 18)
    assert found["input.body"] == ("64KiB", 12)
    assert found["model"] == ("text-a", None)
    assert found["changed"] == ("max_tokens", None)
    assert found["inputs"] == ("1", None)


def test_what_an_exception_says_is_told_with_its_line() -> None:
    found = values(explained(CONFIG, INFER, None, model="digits"))
    assert found["exception"] == ("1", 45)
    assert found["fidelity"] == ("labels", 45)
    assert found["batch"] == ("8", 45)
    assert found["max_tokens"] == ("512", 42)


def test_what_the_whole_file_says_is_told_where_a_policy_says_nothing(tmp_path: Path) -> None:
    config = example(
        tmp_path,
        ("routes:\n", "timing: {grid: 100ms}\nlength: {buckets: pow2}\nroutes:\n"),
        ("  partner:\n", "  partner:\n    timing: {grid: 200ms}\n"),
        (
            "    high_risk:",
            (
                "    limits: [{name: burst, per: tenant, count: requests, max: 9, window: 1m}]\n"
                "    high_risk:"
            ),
        ),
        (
            "    dialect: openai_chat\n",
            "    dialect: openai_chat\n    credentials: {all_of: [keys]}\n",
        ),
    )
    found = values(explained(config, CHAT, chat(stream=True)))
    assert found["timing"] == ('{"grid":"200ms"}', 42)
    assert found["length"] == ('{"buckets":"pow2"}', 9)
    assert found["limit burst"][0] == "9 requests for each tenant in 1m"
    assert found["credentials"][0] == "keys"
    assert "any credential of" not in found
    assert found["inputs"] == ("1, as a stream", None)


def test_what_becomes_of_the_suspected_is_told_step_by_step(tmp_path: Path) -> None:
    steps = "[{above: 0.9, fidelity: labels, for: 1h}, {above: 0.97, deny: true, for: 24h}]"
    changes = (
        ("routes:\n", "detection: {reference: none}\nroutes:\n"),
        ("  partner:\n", f"  partner:\n    traffic: batch\n    escalation: {steps}\n"),
    )
    found = values(explained(example(tmp_path, *changes), CHAT, chat()))
    assert found["traffic"][0] == "batch"
    assert found["suspicion above 0.9"][0] == "fidelity labels for 1h"
    assert found["suspicion above 0.97"][0] == "deny true for 24h"
    exempt = example(tmp_path, *changes, ("  acme: {", "  acme: {exempt: true, "))
    found = values(explained(exempt, CHAT, chat()))
    assert found["exempt"][0] == "true"
    assert "suspicion above 0.9" not in found


def test_a_route_of_high_risk_says_what_it_asks_for() -> None:
    found = values(explained(CONFIG, EMBEDDINGS))
    assert found["strength"] == ("at least 2", 20)
    assert found["risk"] == ("high", 20)


def test_what_a_base_file_says_is_told_as_that(tmp_path: Path) -> None:
    example(tmp_path)
    base = written(tmp_path, "overrides: {policies: {'*': {mode: enforce}}}")
    config = load(tmp_path / "policy.yaml", base)
    (row,) = [row for row in explained(config, CHAT).rows if row.name == "mode"]
    assert str(row.origin) == f"{base}:2 override"


@pytest.mark.parametrize(
    ("body", "decision", "status", "code"),
    [
        (None, "allowed, as far as its header fields say", 200, "allowed"),
        (chat(), "allowed", 200, "allowed"),
        (chat("other"), "refused", 404, "model_not_found"),
    ],
)
def test_a_decision_is_told_with_what_the_client_gets(
    body: bytes | None, decision: str, status: int, code: str
) -> None:
    found = explained(CONFIG, CHAT, body)
    assert (found.decision, found.status, found.code) == (decision, status, code)
    assert (found.reason is None) == (code == "allowed")


def test_in_the_shadow_a_refusal_is_told_and_allowed(tmp_path: Path) -> None:
    config = example(tmp_path, ("  partner:\n", "  partner:\n    mode: shadow\n"))
    found = explained(config, CHAT, chat("other"))
    assert (found.decision, found.code) == ("allowed in the shadow", "model_not_found")
    assert found.change is not None
    assert found.allowed


def test_of_a_denial_there_is_what_is_known() -> None:
    assert values(explained(CONFIG, "POST /no")) == {
        "tenant": ("acme", 54),
        "policy": ("partner", 54),
    }
    needed = Played(CheckedRequest("POST", "/", {}), b"", Needed("keys", "x"))
    found = explain(CONFIG, table(CONFIG), needed)
    assert (found.decision, found.status, found.code) == ("undecided", 0, "issuer_not_asked")
    assert list(found.rows) == []


@pytest.mark.parametrize(
    ("sent", "changed"),
    [
        ({}, "max_tokens"),
        ({"logprobs": True, "max_tokens": 5}, "logprobs"),
        ({"max_tokens": 5}, "nothing"),
    ],
)
def test_fields_that_are_changed_are_told_by_name(sent: dict[str, Any], changed: str) -> None:
    found = values(explained(CONFIG, CHAT, chat(**sent)))["changed"][0]
    assert changed in found.split(", ")


def test_a_changed_body_that_is_no_json_is_told_as_a_whole() -> None:
    assert _added(b"\x00", b"\x01") == ["the body"]
    assert _added(b"\x00", b"\x00") == []


@pytest.mark.parametrize(
    ("rollout", "told"),
    [("mode: shadow", "shadow: on trial for acme"), ("mode: off", "off: on trial for acme")],
)
def test_where_the_file_is_on_trial_what_would_be_refused_passes(
    tmp_path: Path, rollout: str, told: str
) -> None:
    config = example(tmp_path, ("routes:\n", f"rollout: {{{rollout}}}\nroutes:\n"))
    found = explained(config, "GET /nowhere")
    assert (found.decision, found.allowed) == ("passes untouched: refused only on trial", True)
    assert (found.status, found.code) == (200, "not_found")
    assert "client" not in data(found)
    assert "client:" not in text(found)
    assert values(found)["rollout"][0] == told
    served = explained(config, CHAT, chat("other"))
    assert (served.decision, served.code) == ("allowed in the shadow", "model_not_found")


def test_whoever_proves_too_little_of_who_it_is_passes_only_where_its_tenant_is_on_trial(
    tmp_path: Path,
) -> None:
    """As ext_authz has it, whose denial does not tell the tenant."""
    for percent, passes in ((99, False), (1, True)):
        config = example(tmp_path, ("routes:\n", f"rollout: {{percent: {percent}}}\nroutes:\n"))
        found = table(config)
        assert found.rollout.on_trial("acme") is passes
        played = Played(CheckedRequest("GET", "/", {}), None, Denied(UNKNOWN_ROUTE, hidden="acme"))
        assert explain(config, found, played).untouched is passes


def test_a_file_in_force_says_nothing_of_it_and_one_for_some_says_for_whom(tmp_path: Path) -> None:
    assert "rollout" not in values(explained(CONFIG, CHAT, chat()))
    config = example(tmp_path, ("routes:\n", "rollout: {percent: 99}\nroutes:\n"))
    told, line = values(explained(config, CHAT, chat()))["rollout"]
    assert told == "99 % of tenants: in force for acme"
    assert line == 8

"""Numbers are never written smaller than they are, and names never as more than they say."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.inventory import wording
from tests.inventory.policies import (
    CHAT,
    EMBEDDINGS,
    INFER,
    partner,
    policy,
    surface,
    surveyed,
    tier,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (3, "3"),
        (3.3219, "3.4"),
        (9.96, "10.0"),
        (24.93, "25"),
        (3086.7, "3,087"),
        (999_999, "999,999"),
        (1_000_000, "1 million"),
        (1_210_001, "1.3 million"),
        (10_400_000, "11 million"),
        (123_400_000, "130 million"),
        (2_000_000_000, "2 billion"),
        (7e12, "7 trillion"),
        (1e18, "1,000,000 trillion"),
        (math.inf, "no bound"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert wording.number(value) == text


@given(st.floats(0, 1e20))
def test_a_bound_is_never_rounded_down(value: float) -> None:
    first, _, unit = wording.number(value).partition(" ")
    scale = {"": 1, "million": 1e6, "billion": 1e9, "trillion": 1e12}[unit]
    written = float(first.replace(",", "")) * scale
    assert value * (1 - 1e-12) <= written <= max(value * 1.11, value + 1)


@given(st.text())
def test_whatever_a_name_holds_it_prints(text: str) -> None:
    assert wording.plain(text).isprintable()


def test_a_name_keeps_what_can_be_read() -> None:
    assert wording.plain("Größe-模型") == "Größe-模型"
    assert wording.plain("a\n\x1b[31m\u202eb") == r"a\n\x1b[31m\u202eb"


def test_models_that_are_not_meant_are_told(tmp_path: Path) -> None:
    denied = [{"models": ["text-big"], "deny": True}]
    found = surface(surveyed(tmp_path, partner(exceptions=denied)), CHAT)
    assert wording.models(found) == "text-*, but not text-big"


def test_facts_are_in_words(tmp_path: Path) -> None:
    facts = dict(wording.facts(surface(surveyed(tmp_path, policy()), CHAT)))
    assert facts == {
        "policy": "partner",
        "models": "text-*",
        "tier": "guarded",
        "dialect": "openai_chat",
        "tenants": "1",
        "credentials": "mesh (mtls, strength 3); at least strength 3",
        "inputs": "body 256 KiB, depth 8",
        "a request": "inputs: 1; answers to each: 1; tokens of each: 64",
        "requests a day": "18 a caller; 18 a tenant",
        "withheld": "score, logprobs, label, reasoning, usage, usage_detail, identity",
        "bits": "1,280 an answer; 1,280 a request; 23,040 a day, per caller",
    }


def test_what_there_is_more_of_is_told(tmp_path: Path) -> None:
    data = partner(mode="shadow", repeatable=True)
    data["routes"][1]["dialect"] = {"kind": "openai_chat", "allow_response": ["x"]}
    data["routes"][1]["risk"] = "high"
    data["policies"]["partner"]["high_risk"] = [CHAT]
    facts = dict(wording.facts(surface(surveyed(tmp_path, data), CHAT)))
    assert facts["tier"] == "guarded (mode shadow: not held)"
    assert facts["dialect"] == "openai_chat, risk: high"
    assert facts["inputs"] == "nothing is checked"
    assert facts["passes unread"] == "1 fields"
    assert facts["withheld"] == "none"
    assert facts["a request"].endswith("tokens of each: no bound; tools; may fix the draw")


def test_credentials_that_go_together_are_told(tmp_path: Path) -> None:
    data = policy()
    data["credentials"]["keys"] = {"kind": "api_key"}
    data["routes"][0]["credentials"] = {"all_of": ["mesh", "keys"]}
    facts = dict(wording.facts(surface(surveyed(tmp_path, data), EMBEDDINGS)))
    assert facts["credentials"].startswith("mesh (mtls, strength 3) with keys (api_key,")


def test_an_answer_says_of_how_many_it_is(tmp_path: Path) -> None:
    data = tier(logprobs="pass", usage="pass", probabilities="pass")
    found = surveyed(tmp_path, data)
    told = {each.kind: wording.answered(each) for each in surface(found, CHAT).told}
    assert told == {"logprobs": "112,896 (64 predictions)", "usage": "not counted"}
    [numbers] = surface(found, INFER).told
    assert (wording.answered(numbers), wording.chain(numbers)) == ("640", "pass")


def test_the_first_reason_is_the_worst(tmp_path: Path) -> None:
    found = surveyed(tmp_path, policy())
    assert wording.first(surface(found, CHAT)).startswith("text passes")
    assert wording.first(surface(found, "GET /v2/health/ready")) == "no prediction passes"


@pytest.mark.parametrize(
    ("remedy", "setting"),
    [("mode: enforce", True), ("extproc keys rotate ID", True), ("drop tensor", False)],
)
def test_a_setting_is_known(remedy: str, setting: bool) -> None:
    assert wording.is_setting(remedy) is setting


def test_training_is_told_as_declared_and_not_as_known(tmp_path: Path) -> None:
    data = policy()
    data["routes"][0]["training_privacy"] = [
        {"epsilon": 8, "delta": 1e-5, "models": ["text-*"]},
        {"epsilon": 2.5, "delta": 1e-6},
    ]
    told = dict(wording.facts(surface(surveyed(tmp_path, data), EMBEDDINGS)))
    assert told["training privacy"] == (
        "epsilon 8, delta 1e-05, of text-*; epsilon 2.5, delta 1e-06; as declared, not checked"
    )
    assert "training privacy" not in dict(
        wording.facts(surface(surveyed(tmp_path, policy()), EMBEDDINGS))
    )

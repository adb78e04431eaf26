"""How exposed a surface is: each rule alone, and that no protection ever makes it worse."""

import tempfile
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from extproc.inventory.rating import _of_kind
from extproc.inventory.report import Inventory, Rating, Surface, Told
from extproc.mutators import NoisyMax, limit
from tests.inventory.policies import (
    CHAT,
    EMBEDDINGS,
    INFER,
    partner,
    policy,
    saying,
    surface,
    surveyed,
    tier,
)

LOW, MODERATE, HIGH, CRITICAL = Rating


def test_where_everything_is_protected_little_is_exposed(tmp_path: Path) -> None:
    found = surveyed(tmp_path, policy())
    assert {each.rating for each in found.surfaces} == {LOW}
    assert surface(found, "GET /v2/health/ready").reasons == ()


QUANTIZE = {"kind": "quantize", "bits": 8}
SIGNS = {"kind": "quantize", "bits": 1}
ROTATE = {"kind": "rotate"}
ROUND = {"kind": "round", "digits": 2}


@pytest.mark.parametrize(
    ("kind", "chain", "route", "rating", "words"),
    [
        ("tensor", "pass", INFER, CRITICAL, "nobody declared"),
        ("embedding", "pass", EMBEDDINGS, CRITICAL, "exactly, in the model's own space"),
        ("embedding", [ROTATE], EMBEDDINGS, HIGH, "exactly, if in a space"),
        ("embedding", [QUANTIZE], EMBEDDINGS, MODERATE, "coarsely, in the model's own space"),
        ("embedding", [ROTATE, QUANTIZE], EMBEDDINGS, MODERATE, "coarsely: many"),
        ("embedding", [ROTATE, SIGNS], EMBEDDINGS, LOW, "as signs"),
        ("embedding", [{"kind": "hash", "bits": 64}], EMBEDDINGS, LOW, "as signs"),
        ("probabilities", "pass", INFER, HIGH, "probabilities pass exactly"),
        ("probabilities", [{"kind": "top_k", "k": 1}], INFER, HIGH, "probabilities pass exactly"),
        ("probabilities", [ROUND], INFER, MODERATE, "probabilities pass coarsely"),
        ("probabilities", [{"kind": "label_only"}], INFER, LOW, "which, and not how sure"),
        ("score", [ROUND], INFER, HIGH, "scores pass exactly"),
        ("logprobs", "pass", CHAT, HIGH, "logprobs pass exactly"),
        ("logprobs", [{"kind": "floor", "steps": 100}], CHAT, MODERATE, "logprobs pass coarsely"),
        ("reasoning", "pass", CHAT, MODERATE, "writes to itself"),
        ("usage_detail", "pass", CHAT, MODERATE, "cached"),
        ("identity", "pass", CHAT, LOW, "snapshots"),
        ("usage", "pass", CHAT, LOW, "counts of tokens"),
        ("text", "pass", CHAT, LOW, "text passes"),
        ("label", "pass", CHAT, LOW, "labels pass"),
    ],
)
def test_what_passes_is_rated(
    tmp_path: Path, kind: str, chain: Any, route: str, rating: Rating, words: str
) -> None:
    found = surface(surveyed(tmp_path, tier(**{kind: chain})), route)
    assert saying(found.reasons, words).rating is rating
    assert found.rating is rating
    assert all(reason.what and reason.remedy for reason in found.reasons)


def test_durations_are_rated(tmp_path: Path) -> None:
    data = tier(timing="pass")
    data["routes"] = [{"path": "/api/embed", "dialect": "ollama_embed", "input": {"batch": 2}}]
    data["policies"]["partner"]["allow"] = {}
    [found] = surveyed(tmp_path, data).surfaces
    assert saying(found.reasons, "durations").rating is MODERATE


Change = Callable[[dict[str, Any]], None]


def limits(*per: str) -> Change:
    def change(data: dict[str, Any]) -> None:
        data["policies"]["partner"]["limits"] = [
            {"name": each, "per": each, "count": "requests", "max": 9, "window": "1d"}
            for each in per
        ]

    return change


def setting(name: str, value: Any) -> Change:
    def change(data: dict[str, Any]) -> None:
        data["policies"]["partner"][name] = value

    return change


def allowing(**features: Any) -> Change:
    return setting("allow", features)


def without(name: str) -> Change:
    return lambda data: data.pop(name)


def of_route(index: int, **parts: Any) -> Change:
    return lambda data: data["routes"][index].update(parts)


@pytest.mark.parametrize(
    ("change", "route", "rating", "words"),
    [
        (limits(), CHAT, HIGH, "no limit"),
        (limits("principal"), CHAT, MODERATE, "limits count each principal"),
        (setting("mode", "shadow"), CHAT, CRITICAL, "mode shadow"),
        (setting("repeatable", True), CHAT, LOW, "drawn at random"),
        (allowing(max_tokens=9, streaming=False), CHAT, MODERATE, "number of answers"),
        (allowing(choices=1, streaming=False), CHAT, MODERATE, "number of tokens"),
        (allowing(choices=1, max_tokens=9), CHAT, LOW, "streams leave token by token"),
        (of_route(0, input={"body": "64KiB"}), EMBEDDINGS, MODERATE, "number of inputs"),
        (of_route(1, input={}), CHAT, LOW, "nothing that the model expects"),
        (without("timing"), CHAT, LOW, "when they are ready"),
        (without("length"), CHAT, LOW, "as long as they are"),
        (
            of_route(1, dialect={"kind": "openai_chat", "allow_response": ["x"]}),
            CHAT,
            HIGH,
            "1 fields of an answer",
        ),
        (
            of_route(1, dialect={"kind": "openai_chat", "allow_request": ["x", "y"]}),
            CHAT,
            MODERATE,
            "2 fields of a request",
        ),
    ],
)
def test_what_is_missing_is_rated(
    tmp_path: Path, change: Change, route: str, rating: Rating, words: str
) -> None:
    data = policy()
    assert words not in str(surface(surveyed(tmp_path, data), route).reasons)
    change(data)
    found = surface(surveyed(tmp_path, data), route)
    assert saying(found.reasons, words).rating is rating
    assert found.rating is rating


@pytest.mark.parametrize(("strength", "weak"), [(1, True), (2, False)])
def test_what_tells_much_wants_a_strong_credential(
    tmp_path: Path, strength: int, weak: bool
) -> None:
    data = policy(credentials={"keys": {"kind": "api_key", "strength": strength}})
    found = surveyed(tmp_path, data)
    reasons = str(surface(found, EMBEDDINGS).reasons)
    assert ("embedding can be had with a credential of strength 1" in reasons) is weak
    assert "credential" not in str(surface(found, CHAT).reasons)


def test_in_the_shadow_no_setting_is_missed_that_may_be_there(tmp_path: Path) -> None:
    on_trial = surface(surveyed(tmp_path, partner(mode="shadow")), CHAT)
    assert [reason.remedy for reason in on_trial.reasons] == ["mode: enforce"]
    status = surface(surveyed(tmp_path, partner(mode="shadow")), "GET /v2/health/ready")
    assert status.reasons == ()


def test_the_worst_reason_stands_first_and_decides(tmp_path: Path) -> None:
    found = surface(surveyed(tmp_path, tier(logprobs="pass", reasoning="pass", usage="pass")), CHAT)
    ratings = [reason.rating for reason in found.reasons]
    assert ratings == sorted(ratings, reverse=True)
    assert found.rating is ratings[0]


@pytest.mark.parametrize(
    ("chain", "rating"),
    [((), Rating.CRITICAL), ((NoisyMax(noise="gumbel", scale=40.0),), Rating.LOW)],
)
def test_votes_are_for_noise(chain: tuple[NoisyMax, ...], rating: Rating) -> None:
    number = limit(chain, "votes", 1).bits
    told = Told("votes", ("noisy_max",) * len(chain), number, False, 1, 10 * number)
    (reason,) = _of_kind(told)
    assert reason.rating is rating


# Protections, one after the other, on policies that lack any of them.

CHAINS: dict[str, list[dict[str, Any]]] = {
    "embedding": [
        ROTATE,
        QUANTIZE,
        SIGNS,
        {"kind": "truncate", "dimensions": 64},
        {"kind": "hash", "bits": 256},
        {"kind": "noise", "norm": 0.3},
        {"kind": "dither", "step": 0.1},
    ],
    "probabilities": [
        {"kind": "top_k", "k": 3},
        ROUND,
        {"kind": "bins", "count": 3},
        {"kind": "codebook", "bits": 8},
        {"kind": "label_only"},
    ],
    "score": [ROUND, {"kind": "steps", "least": 0, "step": 0.1, "values": 11}],
    "logprobs": [{"kind": "top_k", "k": 1}, ROUND, {"kind": "floor", "steps": 100}],
}
"""What may be put behind whatever a tier has."""


def behind(kind: str, mutator: dict[str, Any]) -> Change:
    def change(data: dict[str, Any]) -> None:
        kinds = data["fidelities"]["guarded"]
        if kind in kinds:
            kinds[kind] = [*(kinds[kind] if kinds[kind] != "pass" else []), mutator]

    return change


def dropped(kind: str) -> Change:
    def change(data: dict[str, Any]) -> None:
        if len(data["fidelities"]["guarded"]) > 1:
            data["fidelities"]["guarded"].pop(kind, None)

    return change


def blurred(data: dict[str, Any]) -> None:
    """Only at the beginning, once."""
    kinds = data["fidelities"]["guarded"]
    if "probabilities" in kinds:
        chain = kinds["probabilities"] if kinds["probabilities"] != "pass" else []
        kinds["probabilities"] = [{"kind": "smooth", "margin": 0.1}, *chain]


def compared(data: dict[str, Any]) -> None:
    """Only at the end, once."""
    chain = data["fidelities"]["guarded"].get("embedding", [])
    last = chain[-1]["kind"] if chain and chain != "pass" else ""
    if "embedding" in data["fidelities"]["guarded"] and last != "similarity":
        behind("embedding", {"kind": "similarity", "digits": 2})(data)


def at_most(feature: str, most: int) -> Change:
    def change(data: dict[str, Any]) -> None:
        allow = data["policies"]["partner"]["allow"]
        allow[feature] = min(most, allow.get(feature, most))

    return change


def refused(feature: str) -> Change:
    return lambda data: data["policies"]["partner"]["allow"].update({feature: False})


def one_more_limit(per: str, most: int) -> Change:
    def change(data: dict[str, Any]) -> None:
        limits = data["policies"]["partner"]["limits"]
        name = f"l{len(limits)}"
        one = {"name": name, "per": per, "count": "requests", "max": most, "window": "1h"}
        data["policies"]["partner"]["limits"] = [*limits, one]

    return change


def shaped(name: str, value: Any) -> Change:
    return lambda data: data.setdefault(name, value)


def stronger(data: dict[str, Any]) -> None:
    for route in data["routes"]:
        route["credentials"] = {"strength": 2}


def checked(data: dict[str, Any]) -> None:
    for route in data["routes"]:
        if "{model}" in route["path"] or "embeddings" in route["path"]:
            least = min(8, route.get("input", {}).get("batch", 8))
            route["input"] = {**route.get("input", {}), "batch": least}


def read(data: dict[str, Any]) -> None:
    data["routes"][1]["dialect"] = "openai_chat"


PROTECTIONS: list[Change] = [
    *(behind(kind, mutator) for kind, chain in CHAINS.items() for mutator in chain),
    *map(dropped, ("tensor", "embedding", "logprobs", "text", "usage", "reasoning", "label")),
    blurred,
    compared,
    *(at_most(name, most) for name in ("batch", "choices", "max_tokens") for most in (1, 50, 1000)),
    refused("streaming"),
    refused("tools"),
    *(one_more_limit(per, most) for per in ("principal", "tenant") for most in (1, 100, 10_000)),
    setting("repeatable", False),
    setting("mode", "enforce"),
    shaped("timing", {"grid": "250ms"}),
    shaped("length", {"buckets": "pow2"}),
    stronger,
    checked,
    read,
]


def bare(mode: str, kinds: list[str], *, kept: bool) -> dict[str, Any]:
    """Nothing is protected; ``kept``: a field of an answer passes unread, too."""
    data = partner(mode=mode, allow={}, limits=[], repeatable=True)
    data = {name: part for name, part in data.items() if name not in {"timing", "length"}}
    for route in data["routes"]:
        route.pop("input", None)
    if kept:
        data["routes"][1]["dialect"] = {"kind": "openai_chat", "allow_response": ["vendor"]}
    data["credentials"] = {
        "keys": {"kind": "api_key"},
        "mesh": {"kind": "mtls", "digests": {"ab" * 32: "acme"}},
    }
    data["fidelities"] = {"guarded": dict.fromkeys(["text", *kinds], "pass")}
    return data


def exposure(found: Surface) -> tuple[float, ...]:
    return (found.rating, found.bits_query, found.bits_request, found.bits_day)


KINDS = ["embedding", "probabilities", "score", "logprobs", "tensor", "usage", "reasoning", "label"]


def half() -> dict[str, Any]:
    """Some of everything is protected."""
    data = bare("enforce", KINDS, kept=False)
    for kind, chain in CHAINS.items():
        data["fidelities"]["guarded"][kind] = chain[1:2]
    at_most("max_tokens", 100)(data)
    at_most("choices", 3)(data)
    at_most("batch", 20)(data)
    one_more_limit("principal", 100)(data)
    return data


@pytest.mark.parametrize("start", [bare("enforce", KINDS, kept=False), half()])
def test_no_protection_alone_makes_anything_worse(start: dict[str, Any], tmp_path: Path) -> None:
    before = surveyed(tmp_path, start)
    for protect in PROTECTIONS:
        data = deepcopy(start)
        protect(data)
        compare(before, surveyed(tmp_path, data))


def compare(before: Inventory, after: Inventory) -> None:
    assert after.rating <= before.rating
    for route in (EMBEDDINGS, CHAT, INFER):
        was, now = surface(before, route), surface(after, route)
        for less, more in zip(exposure(now), exposure(was), strict=True):
            assert less <= more * (1 + 1e-12)


@settings(max_examples=10, phases=[Phase.generate])  # a shorter example would take minutes
@given(
    st.sampled_from(["enforce", "enforce", "enforce", "shadow"]),
    st.lists(st.sampled_from(KINDS), unique=True),
    st.sampled_from([False, False, False, True]),
    st.lists(st.sampled_from(PROTECTIONS), min_size=12, max_size=24, unique_by=id),
)
def test_no_protection_makes_anything_worse(
    mode: str, kinds: list[str], kept: bool, protections: list[Change]
) -> None:
    data = bare(mode, kinds, kept=kept)
    with tempfile.TemporaryDirectory() as name:
        before = surveyed(Path(name), data)
        for protect in protections:
            data = deepcopy(data)
            _behind_the_last(protect, data)
            after = surveyed(Path(name), data)
            compare(before, after)
            before = after


def _behind_the_last(protect: Change, data: dict[str, Any]) -> None:
    """What compares vectors stays the last of its chain."""
    kinds = data["fidelities"]["guarded"]
    chain = kinds.get("embedding", "pass")
    last = chain.pop() if chain != "pass" and chain[-1]["kind"] == "similarity" else None
    if last is not None and not chain:
        kinds["embedding"] = "pass"
    protect(data)
    if last is not None:
        compared(data)


def test_a_route_of_high_risk_declares_something_of_training_or_is_reminded(
    tmp_path: Path,
) -> None:
    data = partner(high_risk=[EMBEDDINGS])
    data["routes"][0] |= {"risk": "high"}
    reason = saying(surface(surveyed(tmp_path, data), EMBEDDINGS).reasons, "declared of training")
    assert reason.rating is LOW
    data["routes"][0] |= {"training_privacy": {"epsilon": 8, "delta": 1e-5}}
    reasons = surface(surveyed(tmp_path, data), EMBEDDINGS).reasons
    assert not any("declared of training" in each.what for each in reasons)

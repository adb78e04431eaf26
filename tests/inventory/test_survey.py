"""What is described is what a tenant really gets."""

import json
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import pytest

from extproc.config import compile_table, load
from extproc.errors import ConfigError
from extproc.inventory.report import Assumed, Rating, Surface, Training
from extproc.inventory.survey import survey
from tests.config.scale import ENVIRON as SCALED
from tests.config.scale import write_keys, write_policy
from tests.inventory.policies import (
    CHAT,
    EMBEDDINGS,
    ENVIRON,
    INFER,
    NOW,
    partner,
    policy,
    surface,
    surveyed,
    tier,
)


def test_every_route_of_every_policy_is_a_surface(tmp_path: Path) -> None:
    found = surveyed(tmp_path, policy())
    assert sorted(each.route for each in found.surfaces) == sorted(
        [EMBEDDINGS, CHAT, INFER, "GET /v2/health/ready"]
    )
    assert {(each.policy, each.models, each.access.tenants) for each in found.surfaces} == {
        ("partner", ("text-*",), 1)
    }
    assert (found.policy, found.tenants) == ("policy.yaml", 1)


def test_a_route_that_a_policy_does_not_have_is_no_surface(tmp_path: Path) -> None:
    found = surveyed(tmp_path, partner(routes=["POST /v1/*"]))
    assert {each.route for each in found.surfaces} == {EMBEDDINGS, CHAT}


def test_what_is_declared_of_training_is_told_of_the_models_it_may_be_of(tmp_path: Path) -> None:
    data = policy()
    promise = {"epsilon": 8, "delta": 1e-5}
    data["routes"][0]["training_privacy"] = promise
    data["routes"][1]["training_privacy"] = [
        promise | {"models": ["text-small"]},
        promise | {"models": ["image-1"], "epsilon": 3},
    ]
    found = surveyed(tmp_path, data)
    assert surface(found, EMBEDDINGS).training == (Training(8.0, 1e-5, ("*",)),)
    assert surface(found, CHAT).training == (Training(8.0, 1e-5, ("text-small",)),)
    assert surface(found, INFER).training == ()


def test_of_one_tenant_only_its_own_surfaces_are_told(tmp_path: Path) -> None:
    data = policy()
    data["policies"]["lab"] = data["policies"]["partner"] | {"routes": [CHAT], "allow": {}}
    data["tenants"]["lab"] = {"policy": "lab"}
    file = tmp_path / "policy.yaml"
    file.write_text(json.dumps(data))
    config = load(file)
    table = compile_table(config, ENVIRON)
    own = survey(config, table, Assumed(), NOW, "lab")
    assert [(each.policy, each.route) for each in own.surfaces] == [("lab", CHAT)]
    assert (own.tenant, own.tenants) == ("lab", 2)
    with pytest.raises(ConfigError, match="there is no tenant 'lap'; did you mean 'lab'"):
        survey(config, table, Assumed(), NOW, "lap")


def test_a_policy_of_nobody_is_no_surface(tmp_path: Path) -> None:
    data = policy()
    data["policies"]["spare"] = data["policies"]["partner"]
    assert {each.policy for each in surveyed(tmp_path, data).surfaces} == {"partner"}


class TestModels:
    @staticmethod
    def of(folder: Path, models: list[str], *exceptions: Any) -> set[tuple[Any, ...]]:
        data = partner(models=models, exceptions=list(exceptions), routes=[CHAT])
        data["fidelities"]["other"] = {"text": "pass", "usage": "pass"}
        found = surveyed(folder, data)
        return {(each.models, each.not_models, each.fidelity) for each in found.surfaces}

    def test_an_exception_is_a_surface_of_its_own(self, tmp_path: Path) -> None:
        assert self.of(tmp_path, ["text-*"], {"models": ["text-big"], "fidelity": "other"}) == {
            (("text-*",), ("text-big",), "guarded"),
            (("text-big",), (), "other"),
        }

    def test_a_model_that_is_denied_is_none(self, tmp_path: Path) -> None:
        assert self.of(tmp_path, ["text-*"], {"models": ["text-big"], "deny": True}) == {
            (("text-*",), ("text-big",), "guarded")
        }

    def test_a_model_stands_once(self, tmp_path: Path) -> None:
        assert self.of(tmp_path, ["a", "b"], {"models": ["b"], "fidelity": "other"}) == {
            (("a",), (), "guarded"),
            (("b",), (), "other"),
        }

    def test_models_that_differ_in_nothing_are_one_surface(self, tmp_path: Path) -> None:
        both = self.of(tmp_path, ["a", "b", "c"], {"models": ["b"], "allow": {"max_tokens": 64}})
        assert both == {(("a", "c", "b"), (), "guarded")}

    def test_patterns_that_may_meet_are_told(self, tmp_path: Path) -> None:
        assert self.of(tmp_path, ["text-*"], {"models": ["*-big"], "fidelity": "other"}) == {
            (("text-*",), ("*-big",), "guarded"),
            (("*-big",), (), "other"),
        }
        assert self.of(tmp_path, ["a-big", "c"], {"models": ["*-big"], "fidelity": "other"}) == {
            (("a-big", "c"), ("*-big",), "guarded"),
            (("*-big",), (), "other"),
        }
        assert self.of(tmp_path, ["c"], {"models": ["*-big"], "fidelity": "other"}) == {
            (("c",), (), "guarded"),
            (("*-big",), (), "other"),
        }


KEYS = {"kind": "api_key"}
MESH = {"kind": "envoy_jwt", "issuer": "https://m.example", "strength": 1, "acr": {"mfa": 3}}


class TestAccess:
    @staticmethod
    def of(folder: Path, known: Any, **asked: Any) -> Surface:
        route = {"path": "/v1/embeddings", "dialect": "openai_embeddings", **asked}
        data = policy(credentials=known, routes=[route], timing=None, length=None)
        data = {name: part for name, part in data.items() if part is not None}
        data["policies"]["partner"]["allow"] = {}
        data["policies"]["partner"]["high_risk"] = ["*"] if asked.get("risk") == "high" else []
        [found] = surveyed(folder, data).surfaces
        return found

    def test_any_credential_will_do_unless_some_are_named(self, tmp_path: Path) -> None:
        access = self.of(tmp_path, {"keys": KEYS, "mesh": MESH}).access
        assert [(way.name, way.kind, way.strength) for way in access.ways] == [
            ("keys", "api_key", "1"),
            ("mesh", "envoy_jwt", "1 to 3"),
        ]
        assert (access.strength, access.together) == (1, False)

    def test_one_that_can_never_be_strong_enough_is_no_way(self, tmp_path: Path) -> None:
        stronger = {"keys": KEYS, "mesh": {**MESH, "strength": 2}}
        found = self.of(tmp_path, stronger, risk="high")
        assert [way.name for way in found.access.ways] == ["mesh"]
        assert (found.access.strength, found.high_risk) == (2, True)

    def test_of_credentials_together_the_strongest_counts(self, tmp_path: Path) -> None:
        known = {"keys": {**KEYS, "strength": 3}, "mesh": MESH}
        access = self.of(tmp_path, known, credentials={"all_of": ["keys", "mesh"]}).access
        assert (access.together, access.strength, len(access.ways)) == (True, 3, 2)

    def test_a_name_alone_is_the_only_way(self, tmp_path: Path) -> None:
        known = {"keys": KEYS, "mesh": {**MESH, "strength": 2}}
        access = self.of(tmp_path, known, credentials={"any_of": ["mesh"]}).access
        assert ([way.name for way in access.ways], access.strength) == (["mesh"], 2)


def limit(per: str, most: int, window: str) -> dict[str, Any]:
    name = f"{per}-{window}"
    return {"name": name, "per": per, "count": "requests", "max": most, "window": window}


@pytest.mark.parametrize(
    ("limits", "principal", "tenant"),
    [
        ([], inf, inf),
        ([limit("tenant", 100, "1d")], 200, 200),
        ([limit("principal", 100, "1d")], 200, inf),
        ([limit("principal", 20, "1s"), limit("tenant", 100, "1h")], 2500, 2500),
        ([limit("principal", 1, "1d"), limit("tenant", 100, "1h")], 2, 2500),
    ],
)
def test_a_day_holds_what_is_there_and_what_is_refilled(
    tmp_path: Path, limits: list[Any], principal: float, tenant: float
) -> None:
    access = surface(surveyed(tmp_path, partner(limits=limits)), CHAT).access
    assert (access.principal_day, access.tenant_day) == (principal, tenant)


class TestRequest:
    def test_the_least_bound_holds(self, tmp_path: Path) -> None:
        data = partner(allow={"batch": 4, "choices": 3, "max_tokens": 99, "tools": True})
        found = surveyed(tmp_path, data)
        assert surface(found, EMBEDDINGS).request.inputs == 4
        request = surface(found, CHAT).request
        assert (request.inputs, request.choices, request.tokens) == (1, 3, 99)
        assert request.tools
        assert not surface(found, EMBEDDINGS).request.tools

    def test_where_nothing_is_said_there_is_no_bound(self, tmp_path: Path) -> None:
        data = partner(allow=None)
        data["routes"][0].pop("input")
        found = surveyed(tmp_path, data)
        assert surface(found, EMBEDDINGS).request.inputs == inf
        request = surface(found, CHAT).request
        assert (request.choices, request.tokens) == (inf, inf)
        assert (surface(found, INFER).request.choices, request.inputs) == (1, 1)

    def test_compared_inputs_have_a_bound_of_their_own(self, tmp_path: Path) -> None:
        data = tier(embedding=[{"kind": "similarity", "digits": 2}])
        data["routes"] = data["routes"][:1]
        data["routes"][0].pop("input")
        data["policies"]["partner"]["allow"] = {}
        assert surface(surveyed(tmp_path, data), EMBEDDINGS).request.inputs == 128

    def test_fewer_tokens_are_granted_than_are_assumed(self, tmp_path: Path) -> None:
        for tokens, bits in ((1000, 64 * 20.0), (10, 200.0)):
            found = surveyed(tmp_path, policy(), Assumed(tokens=tokens))
            assert surface(found, CHAT).bits_query == bits


def test_bits_are_multiplied_by_what_a_request_and_a_day_hold(tmp_path: Path) -> None:
    found = surface(surveyed(tmp_path, partner(allow={"choices": 3, "max_tokens": 10})), CHAT)
    assert (found.bits_query, found.bits_request, found.bits_day) == (200, 600, 600 * 18)
    batch = surface(surveyed(tmp_path, policy()), EMBEDDINGS)
    assert batch.bits_request == 16 * batch.bits_query


class TestShadow:
    def test_nothing_is_held_back(self, tmp_path: Path) -> None:
        trial = surveyed(tmp_path, partner(mode="shadow"))
        chat = surface(trial, CHAT)
        assert chat.models == ("*",)
        assert (chat.request.choices, chat.request.tokens, chat.request.checks) == (inf, inf, ())
        assert chat.access.principal_day == inf
        assert {"logprobs", "text", "reasoning"} <= {told.kind for told in chat.told}
        assert chat.withheld == ()
        assert chat.shape.grid is None
        assert {each.how for each in chat.varies} >= {"the model server's own"}
        assert "draws" not in {each.channel for each in chat.varies}
        assert chat.rating is Rating.CRITICAL

    def test_who_asks_is_held_back(self, tmp_path: Path) -> None:
        on_trial = surface(surveyed(tmp_path, partner(mode="shadow")), CHAT)
        assert on_trial.access.strength == 3


class TestVaries:
    @staticmethod
    def of(folder: Path, data: Any, route: str) -> dict[str, str]:
        return {each.channel: each.how for each in surface(surveyed(folder, data), route).varies}

    def test_what_is_shaped_is_told(self, tmp_path: Path) -> None:
        told = self.of(tmp_path, policy(), EMBEDDINGS)
        assert told["time"] == "whole multiples of 0.25 s after the request"
        assert told["length"] == "powers of two"
        assert "x-extproc-space-id" in told["headers"]
        assert "until the epoch" in told["draws"]
        assert "stream" not in told

    def test_draws_are_told_where_something_is_drawn(self, tmp_path: Path) -> None:
        assert "draws" not in self.of(tmp_path, policy(), CHAT)

    def test_what_is_not_is_told_too(self, tmp_path: Path) -> None:
        data = partner(allow=None, length={"buckets": 1024})
        data.pop("timing")
        data["fidelities"]["guarded"] = {"text": "pass", "usage": "pass", "identity": "pass"}
        told = self.of(tmp_path, data, CHAT)
        assert told["time"] == "when ready"
        assert told["length"] == "multiples of 1024 bytes"
        assert told["stream"] == "event by event, when ready"
        assert told["counts and names"] == "identity, usage"
        assert "space" not in told["headers"]
        assert "draws" not in told

    def test_a_pace_is_told(self, tmp_path: Path) -> None:
        data = partner(allow=None, stream={"tick": "50ms", "size": 512}, routes=[CHAT])
        assert self.of(tmp_path, data, CHAT)["stream"] == "512 bytes every 0.05 s"


def test_what_a_route_lets_through_has_no_bound(tmp_path: Path) -> None:
    data = policy()
    data["routes"][1]["dialect"] = {"kind": "openai_chat", "allow_response": ["vendor"]}
    chat = surface(surveyed(tmp_path, data), CHAT)
    assert (chat.kept, chat.bits_query, chat.rating) == (1, inf, Rating.HIGH)


def test_the_worst_stands_first(tmp_path: Path) -> None:
    data = policy()
    data["fidelities"]["open"] = {"embedding": "pass", "text": "pass", "tensor": "pass"}
    data["policies"]["lab"] = data["policies"]["partner"] | {"fidelity": "open"}
    data["tenants"]["lab"] = {"policy": "lab"}
    found = surveyed(tmp_path, data)
    ratings = [each.rating for each in found.surfaces]
    assert ratings == sorted(ratings, reverse=True)
    assert (found.surfaces[0].policy, found.surfaces[0].route) == ("lab", INFER)
    assert found.rating is Rating.CRITICAL


def test_a_report_is_the_same_again(tmp_path: Path) -> None:
    assert surveyed(tmp_path, policy()) == surveyed(tmp_path, policy())


def test_ten_thousand_tenants_are_counted_and_not_listed(tmp_path: Path) -> None:
    write_keys(tmp_path, 10, 10)
    config = load(write_policy(tmp_path, 10_000))
    found = survey(config, compile_table(config, SCALED), Assumed(), NOW)
    assert {each.access.tenants for each in found.surfaces} == {5_000}
    assert len(found.surfaces) == 16
    assert "tenant-0" not in repr(found)


def test_an_unrated_surface_is_low(tmp_path: Path) -> None:
    found = surface(surveyed(tmp_path, policy()), CHAT)
    assert replace(found, reasons=()).rating is Rating.LOW

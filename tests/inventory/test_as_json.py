"""JSON that any reader reads, with the numbers as they are."""

import json
from pathlib import Path
from typing import Any

from extproc.inventory.as_json import render
from tests.inventory.hostile import NAMES, SECRETS, hostile
from tests.inventory.policies import CHAT, partner, policy, surface, surveyed


def strict(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(text, parse_constant=refuse)


def test_all_that_is_known_is_there(tmp_path: Path) -> None:
    found = surveyed(tmp_path, policy())
    told = strict(render(found))
    assert {*told} == {
        "policy",
        "tenant",
        "version",
        "rating",
        "tenants",
        "assumed",
        "reasons",
        "surfaces",
    }
    assert told["assumed"]["classes"] == 10
    assert len(told["surfaces"]) == len(found.surfaces)
    chat = next(each for each in told["surfaces"] if each["route"] == CHAT)
    assert chat["bits"]["query"] == surface(found, CHAT).bits_query == 1280
    assert chat["rating"] == "low"
    assert chat["reasons"][0] == {
        "rating": "low",
        "what": surface(found, CHAT).reasons[0].what,
        "remedy": surface(found, CHAT).reasons[0].remedy,
    }


def test_what_is_declared_of_training_is_a_property_of_the_surface(tmp_path: Path) -> None:
    data = policy()
    data["routes"][1]["training_privacy"] = {"epsilon": 8, "delta": 1e-5, "models": ["text-*"]}
    told = {each["route"]: each for each in strict(render(surveyed(tmp_path, data)))["surfaces"]}
    declared = {"epsilon": 8.0, "delta": 1e-5, "models": ["text-*"]}
    assert told[CHAT]["training"] == [declared]
    assert all(each["training"] == [] for route, each in told.items() if route != CHAT)


def test_what_has_no_bound_is_null(tmp_path: Path) -> None:
    told = strict(render(surveyed(tmp_path, partner(limits=[], allow={}))))
    chat = next(each for each in told["surfaces"] if each["route"] == CHAT)
    assert chat["bits"] == {"query": 5120.0, "request": None, "day": None}
    assert (chat["access"]["principal_day"], chat["request"]["tokens"]) == (None, None)


def test_names_stay_what_they_are(tmp_path: Path) -> None:
    text = render(hostile(tmp_path))
    assert text.isascii()
    models = {name for each in strict(text)["surfaces"] for name in each["models"]}
    assert {*NAMES[3:]} <= models
    assert not any(secret in text for secret in SECRETS)

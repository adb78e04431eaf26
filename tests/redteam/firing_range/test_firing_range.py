"""The victims, and a gateway in front of them."""

import socket
from pathlib import Path

import pytest
import yaml

from extproc.redteam.client import Client
from extproc.redteam.firing_range.benign_traffic import IMAGES, TEXTS
from extproc.redteam.firing_range.firing_range import (
    MARKED,
    SHARED,
    SHIPPED,
    WATCHED,
    free_port,
    gateway,
    model_server,
)
from extproc.redteam.firing_range.issue import Party
from extproc.redteam.firing_range.process import ProcessDied
from extproc.redteam.request import Request

UPSTREAM = "http://127.0.0.1:9"


def test_a_free_port_is_one_that_can_be_had() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))


def test_the_shipped_policies_are_those_that_claims_are_made_of() -> None:
    policies = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))["policies"]
    assert {"full", "standard", "coarse", "metered", "sealed"} <= policies.keys()


def test_the_policy_that_is_shared_grants_what_the_metered_one_does() -> None:
    metered, shared = (
        yaml.safe_load(file.read_text(encoding="utf-8")) for file in (SHIPPED, SHARED)
    )
    assert shared["policies"] == {"shared": metered["policies"]["metered"]}
    assert shared["routes"] == metered["routes"]
    for name, fidelity in shared["fidelities"].items():
        assert fidelity == metered["fidelities"][name]
    assert shared["store"]["kind"] == "redis"


def test_the_policies_that_detect_are_standard_until_somebody_is_suspected() -> None:
    shipped, watched = (
        yaml.safe_load(file.read_text(encoding="utf-8")) for file in (SHIPPED, WATCHED)
    )
    assert watched["fidelities"]["standard"] == shipped["fidelities"]["standard"]
    assert watched["routes"] == shipped["routes"]
    for policy in watched["policies"].values():
        assert policy["fidelity"] == "standard"
        assert [step["above"] for step in policy["escalation"]] == [0.9, 0.97]
    assert {each["traffic"] for each in watched["policies"].values()} == {IMAGES, TEXTS}


def test_the_policy_that_marks_is_standard_behind_the_marks() -> None:
    shipped, marked = (
        yaml.safe_load(file.read_text(encoding="utf-8")) for file in (SHIPPED, MARKED)
    )
    standard, behind = shipped["fidelities"]["standard"], marked["fidelities"]["marked"]
    assert marked["routes"] == shipped["routes"]
    for kind, mark in (("probabilities", "mark"), ("embedding", "mark_positions")):
        first, *others = behind[kind]
        assert (first["kind"], others) == (mark, standard[kind])
    assert "label" not in behind, "it would say which answers are marked"


async def test_a_policy_that_is_not_there_is_said_before_anything_starts() -> None:
    with pytest.raises(ValueError, match="there is no policy 'gold'"):
        async with gateway(SHIPPED, UPSTREAM, 1, [Party("me", "gold")]):
            raise AssertionError


@pytest.mark.slow
async def test_a_gateway_that_does_not_come_up_says_why(tmp_path: Path) -> None:
    source = tmp_path / "policy.yaml"
    source.write_text(yaml.safe_dump({"policies": {"gold": {"models": 7}}}))
    with pytest.raises(ProcessDied, match="did not come up; its last lines:"):
        async with gateway(source, UPSTREAM, 1, [Party("me", "gold")]):
            raise AssertionError


@pytest.mark.slow
async def test_a_model_server_serves_what_it_was_asked_to() -> None:
    async with model_server(("cancer",)) as url, Client(url) as client:
        paths = ["/v2/models/cancer", "/v2/models/digits"]
        replies = [await client.send(Request(path, method="GET", key=None)) for path in paths]
    assert [reply.served for reply in replies] == [True, False]

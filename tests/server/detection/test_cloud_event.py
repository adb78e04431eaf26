"""What an alert says, and what it never does."""

import math
import shlex

import msgspec
import orjson
import pytest

from extproc.server.detection.cloud_event import event, identity, spoken
from tests.server.detection.findings import NAMES, NOON, PERSON, finding, person


def test_it_says_what_an_analyst_needs() -> None:
    assert orjson.loads(event(finding(), NAMES, "urn:extproc:one", held_back=2)) == {
        "specversion": "1.0",
        "id": identity(finding(), NAMES),
        "source": "urn:extproc:one",
        "type": "io.extproc.suspicion.v1",
        "subject": "acme",
        "time": "2027-01-15T08:00:00.000+00:00",
        "datacontenttype": "application/json",
        "data": {
            "tenant": "acme",
            "traffic": "user",
            "suspicion": 0.95,
            "before": "",
            "after": "fidelity",
            "escalated": True,
            "until": "2027-01-15T09:00:00.000+00:00",
            "shadow": False,
            "evidence": {"novelty": 9.062, "cadence": 0.25},
            "counts": {"queries": 120, "exchanges": 12},
            "policy": "9f2c6a1d0b7e4835",
            "held_back": 2,
            "next": {
                "show": "extproc suspects show acme",
                "forgive": "extproc suspects forgive acme",
                "trust": "extproc suspects trust acme --for 7d",
                "freeze": "extproc suspects freeze acme",
            },
        },
    }


def test_a_person_is_told_by_a_pseudonym_alone() -> None:
    body = event(person(), NAMES, "urn:extproc:one")
    for part in (PERSON, "issuer.example", "alice"):
        assert part.encode() not in body
    said = orjson.loads(body)
    assert said["subject"] == f"acme|{NAMES.principal(PERSON)}"
    typed = shlex.split(said["data"]["next"]["show"])
    assert typed == ["extproc", "suspects", "show", said["subject"]]


def test_an_end_has_no_end_of_its_own() -> None:
    ended = finding(before="deny", after="", escalated=False, until=0.0)
    assert orjson.loads(event(ended, NAMES, "x"))["data"]["until"] is None


def test_the_id_is_of_what_was_found_and_of_nothing_else() -> None:
    told = identity(person(), NAMES)
    assert len(bytes.fromhex(told)) == 16
    assert identity(person(), NAMES) == told
    others = [
        person(time=NOON + 1e-3),
        person(after="deny"),
        person(before="throttle"),
        person(suspicion=0.96),
        finding(),
    ]
    assert len({told, *(identity(each, NAMES) for each in others)}) == 6


@pytest.mark.parametrize("nothing", [-math.inf, math.nan])
def test_a_detector_that_says_nothing_is_left_out(nothing: float) -> None:
    assert spoken({"a": nothing, "b": 1.0, "c": 2.0, "d": 1.0}) == {"c": 2.0, "b": 1.0, "d": 1.0}


def test_it_is_json_without_what_json_has_not() -> None:
    body = event(finding(evidence={"a": math.inf}), NAMES, "x")
    assert msgspec.json.decode(body)["data"]["evidence"] == {}

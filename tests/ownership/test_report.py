"""What is handed on: counts and digests of what went in, and nothing that must not be."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import jsonschema_rs
import pytest

from extproc.errors import ConfigError
from extproc.ownership.commitments import Bounds, committed
from extproc.ownership.evidence import chosen, gathered
from extproc.ownership.report import Basis, Report, json_schema, made, to_json
from extproc.ownership.vault_file import open_vault, read_key
from tests.ownership.making import DAY, Made, copied

Said = Mapping[str, Sequence[str]]


def basis(found: Made, bounds: Bounds | None = None, most: int = 10_000) -> Basis:
    found.write()
    within = bounds or Bounds()
    log = committed([found.log], [found.folder / "audit.pub"], within, live=False)
    opened = open_vault([found.vault], read_key(found.folder / "vault.pem"))
    evidence = gathered(log.counted, opened.entries)
    return Basis(log, within, opened, evidence, chosen(evidence, most))


def report(found: Made, said: Said, clean: Mapping[str, Said] | None = None, **more: Any) -> Report:
    return made(basis(found, **more), ("http://suspect", said), clean or {}, DAY)


def test_it_says_what_it_rests_on(made: Made) -> None:
    made.some(20, 80)
    made.mark(200, "mark", committed=False)
    found = report(
        made, copied(made.entries[:50]), {"clean.jsonl": copied(made.entries, tenant="")}
    )
    assert (found.suspect.questions, found.suspect.answered) == (100, 50)
    assert (found.log.commitments, found.log.late, found.log.anchors) == (100, 0, [])
    assert (found.vault.entries, found.vault.uncommitted) == (101, 1)
    [head] = found.log.heads
    assert head.startswith(f"{made.chain.tip.number}:")
    assert [(each.name, each.carries) for each in found.clean] == [("clean.jsonl", [])]


def test_it_holds_no_input_and_no_answer(made: Made) -> None:
    made.some(20, 80, tenant="acme")
    text = to_json(report(made, copied(made.entries))).decode()
    for entry in made.entries:
        assert bytes(entry.input).decode()[11:-2] not in text
        assert entry.salt not in text
        assert entry.cell not in json.loads(text)


def test_those_who_are_found_come_first(made: Made) -> None:
    made.some(20, 80, tenant="one")
    made.some(20, 80, start=500, tenant="two")
    found = report(made, copied(made.entries, tenant="two"))
    assert [each.tenant for each in found.judged] == ["two", "one"]
    assert [each.tenant for each in found.found] == ["two"]


def test_a_suspect_whose_classes_have_other_names_is_not_cleared(made: Made) -> None:
    """Planted: without it, "no evidence" is said of a copy that calls a 4 four."""
    made.some(20, 80)
    said = dict.fromkeys(copied(made.entries), ("four",))
    with pytest.raises(ConfigError, match="its classes have other names"):
        report(made, said)


def test_its_schema_is_a_schema_and_fits(made: Made) -> None:
    made.some(2, 2)
    signed = {
        "report": json.loads(to_json(report(made, copied(made.entries)))),
        "signature": {"key": "0" * 16, "ed25519": ""},
    }
    validator = jsonschema_rs.validator_for(json.loads(json_schema()))
    assert validator.is_valid(signed)
    del signed["report"]["judged"]
    assert not validator.is_valid(signed)

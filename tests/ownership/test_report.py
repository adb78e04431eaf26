"""What is handed on: counts and digests of what went in, and nothing that must not be."""

import json
from collections.abc import Mapping
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from extproc.errors import ConfigError
from extproc.ownership import answers
from extproc.ownership.commitments import Bounds, committed
from extproc.ownership.evidence import chosen, gathered
from extproc.ownership.report import Basis, Report, json_schema, made, to_json
from extproc.ownership.vault_file import open_vault, read_key
from tests.ownership.making import DAY, Made, copied
from tests.ownership.moving import said, told, world

Said = answers.Answers


def basis(found: Made, bounds: Bounds | None = None, most: int = 10_000) -> Basis:
    found.write()
    within = bounds or Bounds()
    log = committed([found.log], [found.folder / "audit.pub"], within, live=False)
    opened = open_vault([found.vault], read_key(found.folder / "vault.pem"))
    evidence = gathered(log.counted, opened.entries)
    return Basis(log, within, opened, evidence, chosen(evidence, most))


def made_of(found: Basis, whose: Made) -> Report:
    return made(found, ("http://suspect", copied(whose.entries)), {}, DAY)


def report(
    found: Made, answered: Said, clean: Mapping[str, Said] | None = None, **more: Any
) -> Report:
    return made(basis(found, **more), ("http://suspect", answered), clean or {}, DAY)


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


def test_it_says_where_a_log_begins_of_which_older_files_were_left_out(made: Made) -> None:
    """Planted: without it, whoever accuses chooses from where on marks count, unseen."""
    made.some(1, 1)
    made.checkpoint()
    older, begins = len(made.lines), made.chain.tip.number + 1
    made.lines.append(made.chain.opening(made.now, 1000))
    made.some(20, 80, start=5)
    found = basis(made)
    assert made_of(found, made).log.first == [1]
    made.log.write_bytes(b"".join(made.lines[older:]))
    log = committed([made.log], [made.folder / "audit.pub"], Bounds(), live=False)
    left = msgspec.structs.replace(found, committed=log)
    assert made_of(left, made).log.first == [begins]


def test_those_who_are_found_come_first(made: Made) -> None:
    made.some(20, 80, tenant="one")
    made.some(20, 80, start=500, tenant="two")
    found = report(made, copied(made.entries, tenant="two"))
    assert [each.tenant for each in found.judged] == ["two", "one"]
    assert [each.tenant for each in found.found] == ["two"]


def test_a_suspect_whose_classes_have_other_names_is_not_cleared(made: Made) -> None:
    """Planted: without it, "no evidence" is said of a copy that calls a 4 four."""
    made.some(20, 80)
    named = dict.fromkeys(copied(made.entries), ("four",))
    with pytest.raises(ConfigError, match="its classes have other names"):
        report(made, named)


def test_labels_and_embeddings_are_corrected_for_together(made: Made) -> None:
    made.some(100, 400)
    texts = world().texts[:300]
    served, entries = told("acme", texts, world().private(texts))
    for entry in entries:
        made.keep(entry)
    both = {**copied(made.entries[:500]), **said(texts, served)}
    found = report(made, both)
    assert [each.model for each in found.found] == ["minilm", "digits"]
    [labels], [embeddings] = found.judged, found.embeddings
    assert embeddings.corrected == embeddings.bits + 1
    assert labels.corrected == labels.bits
    signed = {
        "report": json.loads(to_json(found)),
        "signature": {"key": "0" * 16, "ed25519": ""},
    }
    jsonschema_rs.validator_for(json.loads(json_schema())).validate(signed)
    text = json.dumps(signed)
    assert entries[0].moved is not None
    for secret in (entries[0].moved.key, entries[0].cell, texts[0]):
        assert secret not in text


def test_a_suspect_without_embeddings_is_not_cleared(made: Made) -> None:
    texts = world().texts[:5]
    for entry in told("acme", texts, world().private(texts))[1]:
        made.keep(entry)
    with pytest.raises(ConfigError, match="none of the questions with an embedding"):
        report(made, {"another": ("1",)})


@pytest.mark.parametrize("label", ["four", ""])
def test_a_clean_model_that_cannot_be_read_clears_nobody_silently(made: Made, label: str) -> None:
    """Planted: without it, the report says of a model that nobody understood that it is clean."""
    made.some(20, 80)
    known = copied(made.entries)
    unread = dict.fromkeys(known, (label,)) if label else {"another question": ("1",)}
    with pytest.raises(ConfigError, match=r"clean\.jsonl: it says nothing that the model would"):
        report(made, known, {"clean.jsonl": unread})


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

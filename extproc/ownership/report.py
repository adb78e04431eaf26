"""What is handed on: what was judged, what it rests on, and what came of it.

Rule: it holds no input, no answer and no key; who has those can work it out again, and finds the
digests of all that went in.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from importlib.metadata import version
from operator import attrgetter
from typing import Any, Final, Literal, Protocol, Self

import msgspec
from msgspec import Struct

from extproc.errors import ConfigError
from extproc.ownership import answers as recorded
from extproc.ownership.answers import Answers
from extproc.ownership.commitments import Bounds, Committed
from extproc.ownership.evidence import Cell, Evidence, Holder, sheet
from extproc.ownership.judging import (
    LEVEL,
    Counts,
    Judged,
    JudgedEmbeddings,
    Verdicts,
    Whose,
    carriers,
    judged,
)
from extproc.ownership.questions import Question, written
from extproc.ownership.sealing import Signature
from extproc.ownership.vault_file import Opened

FORMAT: Final = 1


class Suspect(Struct, frozen=True):
    """Who was asked, and about how much."""

    name: str
    """As it was named: a URL, or a file."""
    questions: int
    sheet: str
    """SHA-256 of the sheet of questions: see questions.written."""
    answered: int
    answers: str
    """See answers.digest."""


class Log(Struct, frozen=True):
    """The audit log, or those of several replicas, found whole."""

    heads: Sequence[str]
    """Number and hash of the last line of each."""
    first: Sequence[int | None]
    """Number of the first line of each; more than 1 where older files were left out."""
    keys: Sequence[str]
    """Names of those that may have signed it."""
    anchors: Sequence[str]
    """Heads that somebody else has held since before; where there is none, the dates are the
    accuser's word."""
    before: datetime | None
    """When what counts had to be signed by."""
    commitments: int
    """That count, of whatever marks all models."""
    late: int
    """That do not, since they are behind the anchor, or signed too late."""
    unsigned: int
    """That do not, since no checkpoint signs them yet."""

    @classmethod
    def of(cls, committed: Committed, bounds: Bounds) -> Self:
        return cls(
            heads=[log.head for log in committed.logs],
            first=[log.first for log in committed.logs],
            keys=committed.keys,
            anchors=[str(anchor) for anchor in bounds.anchors],
            before=bounds.before,
            commitments=len(committed.counted),
            late=committed.late,
            unsigned=committed.unsigned,
        )


class Weighed(Protocol):
    """What entries and commitments came to, put together."""

    @property
    def uncommitted(self) -> int: ...

    @property
    def contradicting(self) -> int: ...


class Vault(Struct, frozen=True):
    """The entries, which do not count unless they are committed to."""

    entries: int
    unopened: int
    uncommitted: int
    contradicting: int
    undrawn: int | None
    """That the gateway's secret does not draw as they say; None where nobody looked."""

    @classmethod
    def of(cls, opened: Opened, evidence: Weighed) -> Self:
        return cls(
            len(opened.entries),
            opened.unopened,
            evidence.uncommitted,
            evidence.contradicting,
            opened.undrawn,
        )


class Clean(Struct, frozen=True):
    """A model that is known to be independent."""

    name: str
    answers: str
    """See answers.digest."""
    carries: Sequence[str]
    """Whose marks it carries nevertheless; these are no marks then."""


class Report(Struct, frozen=True, kw_only=True):
    format: Literal[1] = FORMAT
    made: datetime
    program: str = f"extproc {version('extproc')}"
    level: float = LEVEL
    """In bits: whoever is accused has a corrected p-value no greater."""
    suspect: Suspect
    log: Log
    vault: Vault
    clean: Sequence[Clean]
    judged: Sequence[Judged]
    """All who were looked at by labels, the least likely by chance first."""
    embeddings: Sequence[JudgedEmbeddings] = ()
    """The same by embeddings."""

    @property
    def every(self) -> list[Whose]:
        """The least likely by chance first."""
        return sorted((*self.judged, *self.embeddings), key=attrgetter("likelihood"))

    @property
    def found(self) -> list[Whose]:
        return [each for each in self.every if each.verdict == "carries the marks"]


class Basis(Struct, frozen=True):
    """What everything rests on."""

    committed: Committed
    bounds: Bounds
    opened: Opened
    evidence: Evidence
    cells: Mapping[Holder, Sequence[Cell]]
    """Those that are asked about."""

    @property
    def sheet(self) -> list[Question]:
        return sheet(self.cells)


def made(
    basis: Basis, suspect: tuple[str, Answers], clean: Mapping[str, Answers], now: datetime
) -> Report:
    """Of a suspect by its name, and of clean models by theirs.

    Raise ConfigError where nothing would be found of a copy either, and a clean model would be said
    to carry nothing: where no answer names a class that the model knows, and there is no embedding.
    """
    name, answers = suspect
    found = judged(basis.cells, basis.evidence.tenants, answers, list(clean.values()))
    if any(each.answered for each in _counts(found)):
        _check_names(name, found)
    _check_answered(name, found)
    for known, said in clean.items():
        alone = judged(basis.cells, basis.evidence.tenants, said)
        if not any(each.texts.answered for each in alone.embeddings):
            _check_names(known, alone)
            _check_answered(known, alone)
    return Report(
        made=now,
        suspect=_suspect(name, answers, basis.sheet),
        log=Log.of(basis.committed, basis.bounds),
        vault=Vault.of(basis.opened, basis.evidence),
        clean=[_clean(each, basis.cells, said) for each, said in clean.items()],
        judged=found.labels,
        embeddings=found.embeddings,
    )


def _counts(found: Verdicts) -> list[Counts]:
    return [each for row in found.labels for each in (row.marks, row.controls)]


def _check_names(name: str, found: Verdicts) -> None:
    counts = _counts(found)
    if counts and not any(each.true + each.agreeing for each in counts):
        wrong = f"{name}: it says nothing that the model would: its classes have other names"
        raise ConfigError(f"{wrong}, or it was asked otherwise; see docs/ownership.md")


def _check_answered(name: str, found: Verdicts) -> None:
    texts = [each.texts for each in found.embeddings]
    answered = [each.answered for each in _counts(found)] + [each.answered for each in texts]
    if any(each.texts > each.missing for each in texts) and not any(answered):
        wrong = f"{name}: it answers none of the questions with an embedding"
        raise ConfigError(f"{wrong}; look how it is asked, and what is read of its answers")


def to_json(report: Struct) -> bytes:
    return msgspec.json.format(msgspec.json.encode(report), indent=2)


def json_schema(of: Any = Report, command: str = "verify") -> str:
    """Of report.json, signed."""
    schema, parts = msgspec.json.schema_components([of, Signature], ref_template="#/$defs/{name}")
    members = {"report": schema[0], "signature": schema[1]}
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A report of extproc ownership {command}",
        "type": "object",
        "properties": members,
        "required": sorted(members),
        "additionalProperties": False,
        "$defs": parts,
    }
    return json.dumps(whole, indent=2) + "\n"


def _suspect(name: str, answers: Answers, questions: Sequence[Question]) -> Suspect:
    asked = sha256(b"".join(written(questions))).hexdigest()
    answered = sum(question.question in answers for question in questions)
    return Suspect(name, len(questions), asked, answered, recorded.digest(answers))


def _clean(name: str, cells: Mapping[Holder, Sequence[Cell]], answers: Answers) -> Clean:
    carries = [f"{who.name}, model {who.model}" for who in carriers(cells, answers)]
    return Clean(name, recorded.digest(answers), carries)

"""What is handed on: what was judged, what it rests on, and what came of it.

Rule: it holds no input, no answer and no key; who has those can work it out again, and finds the
digests of all that went in.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from importlib.metadata import version
from typing import Final, Literal

import msgspec
from msgspec import Struct

from extproc.errors import ConfigError
from extproc.ownership import answers as recorded
from extproc.ownership.answers import Answers
from extproc.ownership.commitments import Bounds, Committed
from extproc.ownership.evidence import Cell, Evidence, Holder, sheet
from extproc.ownership.judging import LEVEL, Judged, carriers, judged
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
    keys: Sequence[str]
    """Names of those that may have signed it."""
    anchors: Sequence[str]
    """Heads that somebody else has held since before; where there is none, the dates are the
    accuser's word."""
    before: datetime | None
    """When what counts had to be signed by."""
    commitments: int
    """That count, of marks and controls of all models."""
    late: int
    """That do not, since they are behind the anchor, or signed too late."""
    unsigned: int
    """That do not, since no checkpoint signs them yet."""


class Vault(Struct, frozen=True):
    """The entries, which do not count unless they are committed to."""

    entries: int
    unopened: int
    uncommitted: int
    contradicting: int
    undrawn: int | None
    """That the gateway's secret does not draw as they say; None where nobody looked."""


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
    """All who were looked at, the least likely by chance first."""

    @property
    def found(self) -> list[Judged]:
        return [each for each in self.judged if each.verdict == "carries the marks"]


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

    Raise ConfigError where no answer names a class that the model knows: nothing would be found of
    a copy either.
    """
    name, answers = suspect
    found = judged(basis.cells, basis.evidence.tenants, answers, list(clean.values()))
    counts = [each for row in found for each in (row.marks, row.controls)]
    if any(each.answered for each in counts) and not any(
        each.true + each.agreeing for each in counts
    ):
        wrong = f"{name}: it says nothing that the model would: its classes have other names"
        raise ConfigError(f"{wrong}, or it was asked otherwise; see docs/ownership.md")
    return Report(
        made=now,
        suspect=_suspect(name, answers, basis.sheet),
        log=_log(basis.committed, basis.bounds),
        vault=Vault(
            len(basis.opened.entries),
            basis.opened.unopened,
            basis.evidence.uncommitted,
            basis.evidence.contradicting,
            basis.opened.undrawn,
        ),
        clean=[_clean(each, basis.cells, said) for each, said in clean.items()],
        judged=found,
    )


def to_json(report: Report) -> bytes:
    return msgspec.json.format(msgspec.json.encode(report), indent=2)


def json_schema() -> str:
    """Of report.json, signed."""
    schema, parts = msgspec.json.schema_components(
        [Report, Signature], ref_template="#/$defs/{name}"
    )
    members = {"report": schema[0], "signature": schema[1]}
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A report of extproc ownership verify",
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


def _log(committed: Committed, bounds: Bounds) -> Log:
    return Log(
        heads=[log.head for log in committed.logs],
        keys=committed.keys,
        anchors=[str(anchor) for anchor in bounds.anchors],
        before=bounds.before,
        commitments=len(committed.counted),
        late=committed.late,
        unsigned=committed.unsigned,
    )


def _clean(name: str, cells: Mapping[Holder, Sequence[Cell]], answers: Answers) -> Clean:
    carries = [f"{who.name}, model {who.model}" for who in carriers(cells, answers)]
    return Clean(name, recorded.digest(answers), carries)

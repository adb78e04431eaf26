"""Commitments and what they are of, put together by whom it was told.

Rule: a cell counts once, by its first commitment, so that nobody chooses among several.  An entry
that nothing commits to does not count; a commitment whose entry is missing does, and against the
accusation: whoever could leave out entries after seeing the suspect could accuse anybody.  Of
embeddings one key counts for each epoch, which is the first's.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, Self

import msgspec
from msgspec import Struct

from extproc.audit import Marked
from extproc.marks.entry import Entry
from extproc.marks.stamps import TEXTS, Stamp
from extproc.ownership import embeddings
from extproc.ownership.commitments import Commitment
from extproc.ownership.questions import Question, about

What = Literal["labels", "embeddings"]


class Holder(NamedTuple):
    """Who was told: a cohort, or a tenant that has none, of one model."""

    model: str
    cohort: str
    tenant: str
    """Empty of a cohort, which may be several."""
    what: What = "labels"
    """Marks of one kind are judged apart from those of the other."""

    @property
    def name(self) -> str:
        return f"cohort {self.cohort}" if self.cohort else f"tenant {self.tenant}"


class Cell(Struct, frozen=True):
    """A mark or a control, or an input whose embedding is marked."""

    commitment: str
    stamp: Stamp
    entry: Entry | None
    """None where the vault does not have it."""
    question: Question | None
    """None where there is no entry."""

    @classmethod
    def of(cls, marked: Marked, entry: Entry | None) -> Self:
        """As it was committed to."""
        asked = None if entry is None else about(msgspec.json.decode(bytes(entry.input)))
        return cls(marked.commitment, marked.stamp, entry, asked)


class Evidence(Struct, frozen=True):
    cells: Mapping[Holder, Sequence[Cell]]
    """In the order of their commitments, which is chance."""
    tenants: Mapping[Holder, Sequence[str]]
    """Who asked."""
    uncommitted: int
    """Entries that no line of the log that counts commits to."""
    contradicting: int
    """Entries that say otherwise than the line that commits to them; they count as missing."""


def holder(marked: Marked) -> Holder:
    what: What = "embeddings" if marked.stamp == "embedding" else "labels"
    return Holder(marked.model, marked.cohort, "" if marked.cohort else marked.tenant, what)


def gathered(
    counted: Iterable[Commitment], entries: Mapping[str, Entry], model: str = ""
) -> Evidence:
    """Of one model, or of all where none is named."""
    cells: dict[Holder, dict[str, Cell]] = {}
    tenants: dict[Holder, set[str]] = {}
    keys: dict[tuple[Holder, int], str] = {}
    contradicting, known = 0, set[str]()
    for each in counted:
        marked = each.marked
        known.add(marked.commitment)
        if model not in {"", marked.model} or marked.stamp in TEXTS:
            continue
        who = holder(marked)
        tenants.setdefault(who, set()).add(marked.tenant)
        if marked.cell in cells.setdefault(who, {}):
            continue
        entry = entries.get(marked.commitment)
        if entry is not None and not (agree(entry, marked) and _keyed(entry, who, keys)):
            contradicting, entry = contradicting + 1, None
        cells[who][marked.cell] = Cell.of(marked, entry)
    return Evidence(
        {who: sorted(found.values(), key=_by_chance) for who, found in sorted(cells.items())},
        {who: sorted(names) for who, names in tenants.items()},
        len(entries.keys() - known),
        contradicting,
    )


def chosen(evidence: Evidence, most: int) -> dict[Holder, Sequence[Cell]]:
    """So many cells at most, for all who were told something the same share."""
    share = max(1, most // max(1, len(evidence.cells)))
    return {who: cells[:share] for who, cells in evidence.cells.items()}


def sheet(cells: Mapping[Holder, Sequence[Cell]]) -> list[Question]:
    """What is asked about them, in an order that tells nothing."""
    found = (cell.question for each in cells.values() for cell in each)
    unique = {question.question: question for question in found if question is not None}
    return [unique[name] for name in sorted(unique)]


def agree(entry: Entry, marked: Marked) -> bool:
    """Whether an entry says what the line says that commits to it."""
    fields = ("tenant", "cohort", "route", "model", "cell", "stamp")
    return all(getattr(entry, name) == getattr(marked, name) for name in fields)


def _keyed(entry: Entry, who: Holder, keys: dict[tuple[Holder, int], str]) -> bool:
    """Whether an embedding's marks can be looked for, by the key that is all others'."""
    if entry.stamp != "embedding":
        return True
    if entry.moved is None or not embeddings.are_whole(entry.moved, entry):
        return False
    return keys.setdefault((who, entry.epoch), entry.moved.key) == entry.moved.key


def _by_chance(cell: Cell) -> str:
    return cell.commitment

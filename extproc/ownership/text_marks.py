"""What the log commits to of texts, and what the vault has of it: lists, and references.

Rule: each list counts once, and so do the references of each who was told some, whatever they are;
what was committed to and is missing is looked for in vain, and makes the correction no smaller.
So whoever accuses can leave out none that does not fit, nor bring one that nobody held before.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, Literal

from msgspec import Struct

from extproc.draw import Draw
from extproc.errors import Malformed
from extproc.marks.canaries import is_reference
from extproc.marks.entry import Entry
from extproc.marks.vocabulary import Vocabulary, read
from extproc.ownership.commitments import Commitment
from extproc.ownership.evidence import agree, holder

_KEY: Final = re.compile("[0-9a-f]{64}")


class Listed(Struct, frozen=True):
    """A green list, as it was committed to."""

    key: Draw
    vocabulary: Vocabulary


@dataclass(slots=True)
class Sought:
    """What is looked for in texts at once: one list, or all references of one who was told some."""

    mark: Literal["green list", "canaries"]
    whose: str
    """``cohort NAME``, or ``tenant NAME`` of one that has none."""
    commitments: list[Commitment] = field(default_factory=list)
    """In the order in which they were signed; at least one."""
    epochs: set[int] = field(default_factory=set)
    """Of those that are there."""
    listed: Listed | None = None
    """None where the entry is missing, or references are looked for."""
    references: dict[str, None] = field(default_factory=dict)
    missing: int = 0
    """Commitments without an entry: each is as good as one that is not found."""

    @property
    def models(self) -> list[str]:
        return sorted({each.marked.model for each in self.commitments})

    @property
    def name(self) -> str:
        models = self.models
        return f"{self.mark} of {self.whose}, model{'s' * (len(models) > 1)} {', '.join(models)}"

    def add(self, commitment: Commitment, entry: Entry | None) -> None:
        self.commitments.append(commitment)
        if entry is None:
            self.missing += 1
        else:
            self.epochs.add(entry.epoch)


class TextMarks(Struct, frozen=True):
    sought: Sequence[Sought]
    entries: Sequence[Entry]
    """That count, each once."""
    uncommitted: int
    """Entries that no line of the log that counts commits to."""
    contradicting: int
    """Entries that say otherwise than the line that commits to them, or what none can; they count
    as missing."""


def gathered(
    counted: Iterable[Commitment], entries: Mapping[str, Entry], model: str = ""
) -> TextMarks:
    """Of one model, as it was asked for, or of all where none is named."""
    found, known = _Found(), set[str]()
    for each in counted:
        marked = each.marked
        if marked.commitment in known:
            continue
        known.add(marked.commitment)
        if model in {"", marked.model} and marked.stamp in {"green_list", "canary"}:
            found.take(each, entries.get(marked.commitment))
    sought = chain(found.lists.values(), found.lost, found.canaries.values())
    return TextMarks(list(sought), found.entries, len(entries.keys() - known), found.contradicting)


@dataclass(slots=True)
class _Found:
    lists: dict[tuple[str, str, bytes], Sought] = field(default_factory=dict)
    lost: list[Sought] = field(default_factory=list)
    """Lists of which nothing is there but that they were."""
    canaries: dict[tuple[str, str], Sought] = field(default_factory=dict)
    """By whose they are, and the model."""
    entries: list[Entry] = field(default_factory=list)
    contradicting: int = 0

    def take(self, commitment: Commitment, entry: Entry | None) -> None:
        marked = commitment.marked
        if entry is not None and not (agree(entry, marked) and _is_sound(entry)):
            self.contradicting, entry = self.contradicting + 1, None
        whose = holder(marked).name
        if marked.stamp == "green_list":
            sought = self._list(whose, entry)
        else:
            here = whose, marked.model
            sought = self.canaries.setdefault(here, Sought("canaries", whose))
        sought.add(commitment, entry)
        if entry is not None:
            self.entries.append(entry)
            if marked.stamp == "canary":
                sought.references[str(entry.other)] = None

    def _list(self, whose: str, entry: Entry | None) -> Sought:
        if entry is None:
            self.lost.append(Sought("green list", whose))
            return self.lost[-1]
        place = whose, str(entry.other), bytes(entry.input)
        if place not in self.lists:
            listed = Listed(Draw(bytes.fromhex(place[1])), read(place[2]))
            self.lists[place] = Sought("green list", whose, listed=listed)
        return self.lists[place]


def _is_sound(entry: Entry) -> bool:
    """Whether it holds what such an entry can."""
    told = str(entry.other)
    if entry.stamp == "canary":
        return is_reference(told)
    try:
        read(bytes(entry.input))
    except Malformed:
        return False
    return _KEY.fullmatch(told) is not None

"""What a page is made of, whatever it is written in.

Rule: all text here is plain; whoever writes it down escapes it.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Tone(StrEnum):
    """How a piece of text is meant."""

    PLAIN = ""
    STRONG = "strong"
    GOOD = "good"
    BAD = "bad"
    UNSURE = "unsure"
    FAINT = "faint"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text; ``link`` is an anchor of the same page with ``#``, or a file beside it."""

    text: str
    tone: Tone = Tone.PLAIN
    link: str = ""


Line = tuple[Span, ...]


def line(*parts: str | Span) -> Line:
    return tuple(Span(part) if isinstance(part, str) else part for part in parts)


@dataclass(frozen=True, slots=True)
class Entry:
    """A cell of a table."""

    text: Line
    anchor: str = ""
    number: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A row of a table."""

    entries: tuple[Entry, ...]
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    columns: tuple[str, ...]
    records: tuple[Record, ...]
    caption: str = ""
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: Line


@dataclass(frozen=True, slots=True)
class Bullets:
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot; ``alt`` says in words what it shows."""

    name: str
    svg: str
    caption: str
    alt: str


Block = Paragraph | Bullets | Table | Figure


@dataclass(frozen=True, slots=True)
class Section:
    anchor: str
    title: str
    blocks: tuple[Block, ...]
    parts: "tuple[Section, ...]" = ()
    """One level below."""


@dataclass(frozen=True, slots=True)
class Page:
    title: str
    lead: tuple[Line, ...]
    sections: tuple[Section, ...] = field(default=())

    def figures(self) -> list[Figure]:
        return [
            block
            for section in self.sections
            for each in (section, *section.parts)
            for block in each.blocks
            if isinstance(block, Figure)
        ]

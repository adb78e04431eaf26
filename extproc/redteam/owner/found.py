"""What the owner says of one copy, as measures.

Rule: all who asked in the trial are looked at, and corrected for (Holm); others of the same run are
not, so that a row does not hang on what else was tried.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from extproc.redteam.attack import Measure

BITS, NAMED, OTHERS, ACCUSED = "marks.bits", "marks.found", "marks.others", "marks.accused"

STOLEN: Final = "as stolen"
CLEAN: Final = "never marked: taught by unmarked answers"
"""What was done to a copy that nothing was done to, and to one that is of nobody's answers."""

MEASURES: Final = (
    Measure(
        BITS,
        "log2 of the chance that a model which learnt nothing of its thief's answers looks so",
    ),
    Measure(NAMED, "whether its thief is named as whom its answers were given to", worse="low"),
    Measure(OTHERS, "the least log2 of that chance for anybody else who asked", worse="low"),
    Measure(ACCUSED, "others who asked, and are named in place of the thief or beside him"),
)


def called(surrogate: str, way: str) -> str:
    """The strategy of a copy, by what it is and what was done to it; `parted` is its inverse."""
    return f"{surrogate}, {way}"


def parted(strategy: str) -> tuple[str, str]:
    """Of a strategy that is another one, the whole of it and nothing that was done."""
    surrogate, _, way = strategy.partition(", ")
    return surrogate, way or STOLEN


@dataclass(frozen=True, slots=True)
class Found:
    bits: float
    named: bool
    others: tuple[float, ...]
    """Bits of each."""
    accused: int
    """How many of these are named."""


def measured(found: Found | None) -> Iterator[tuple[str, float]]:
    """Name and value of each measure; None where there is nothing to go by."""
    if found is None:
        return
    yield BITS, found.bits
    yield NAMED, float(found.named)
    if found.others:
        yield OTHERS, min(found.others)
        yield ACCUSED, float(found.accused)

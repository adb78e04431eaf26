"""Where a caller was counted: its groups, and how rare its evidence was at each checkpoint.

Rule: of two replicas that have counted one caller each, what both say is joined, in whatever order:
a join-semilattice (Shapiro, Preguica, Baquero and Zawirski, "Conflict-free Replicated Data Types",
SSS 2011).
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from extproc.cohorts.excess import BINS
from extproc.cohorts.usual import CHECKPOINTS

NOT: Final = 255
"""In place of a bin, where the caller was not counted."""
DETECTORS: Final = 16
GROUPS: Final = 12
LONGEST: Final = 384
"""Characters of a name."""


class Entry(Struct, frozen=True, array_like=True):
    groups: tuple[str, ...] = ()
    """As they were when it was counted last."""
    traffic: str = ""
    """The class by which its evidence is called rare."""
    ranks: bytes = b""
    """The bin of each detector at each checkpoint, one checkpoint after the other."""

    @staticmethod
    def at(checkpoint: int, bins: bytes, groups: tuple[str, ...], traffic: str) -> "Entry":
        """Of one checkpoint."""
        none = bytes([NOT]) * len(bins)
        ranks = none * checkpoint + bins + none * (len(CHECKPOINTS) - 1 - checkpoint)
        return Entry(groups, traffic, ranks)

    @property
    def detectors(self) -> int:
        return len(self.ranks) // len(CHECKPOINTS)

    @property
    def last(self) -> int:
        """The last checkpoint that it was counted at; -1 for none."""
        return max(self.checkpoints(), default=-1)

    def bins(self, checkpoint: int) -> bytes:
        return self.ranks[checkpoint * self.detectors : (checkpoint + 1) * self.detectors]

    def has(self, checkpoint: int) -> bool:
        return NOT not in (self.bins(checkpoint) or (NOT,))

    def checkpoints(self) -> Iterator[int]:
        """At which it was counted."""
        return (at for at in range(len(CHECKPOINTS)) if self.has(at))

    def possible(self) -> bool:
        """Whether somebody may have counted so; of what is read."""
        size, odd = divmod(len(self.ranks), len(CHECKPOINTS))
        bins = [self.bins(at) for at in range(len(CHECKPOINTS))]
        return (
            not odd
            and size <= DETECTORS
            and len(self.groups) <= GROUPS
            and all(len(name) <= LONGEST for name in (self.traffic, *self.groups))
            and all(max(each, default=NOT) < BINS or set(each) == {NOT} for each in bins if each)
        )


NOWHERE: Final = Entry()


def joined(one: Entry, other: Entry) -> Entry:
    """Where either has been counted; the groups are those of the later checkpoint."""
    if one.detectors != other.detectors or one.traffic != other.traffic:
        return max(one, other, key=_order)
    later = max(one, other, key=_order)
    ranks = b"".join(min(one.bins(at), other.bins(at)) for at in range(len(CHECKPOINTS)))
    return Entry(later.groups, later.traffic, ranks)


def _order(entry: Entry) -> tuple[int, str, tuple[str, ...], bytes]:
    return entry.last, entry.traffic, entry.groups, entry.ranks

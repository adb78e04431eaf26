"""Profiles of callers in the memory of one process: rows of one slab.

Rules: at most ``capacity`` of them.  Where a new one finds no place another is forgotten: of a few
looked at, the one with the least evidence, then the least history, then idle for longest, so that
names that somebody makes up push out each other and no suspect.  Nobody's callers take more than a
share while others need the place.  All of it takes bounded work.
"""

from array import array
from collections.abc import Iterator, Sequence
from math import log2
from typing import TYPE_CHECKING, Final, Literal, overload

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from extproc.detectors.detector import Counters
from extproc.detectors.features import Features
from extproc.detectors.profile import ASKED, Asked, Decay, Layout
from extproc.detectors.repeats import unrepeated

if TYPE_CHECKING:  # of 2 MiB: for those who draw
    from numpy.random import Generator

_CHUNK: Final = 1024
"""Rows that are allocated at once."""
_LOOKED: Final = 8
"""Rows that are looked at for one to forget."""
_SHARE: Final = 0.25
_NOTABLE: Final = 5.0
"""Nats: some queries of a benign caller come to less."""
_STALE: Final = 0.99
"""What was counted last weighs so much or less where counters are brought up to date: below it
what is new counts more, which is the same and changes fewer of them."""


class Profile(Struct, frozen=True, eq=False):
    """What is known of one subject now."""

    counters: Counters
    asked: Asked
    time: float
    """As of when the counters are, in seconds since 1970."""
    first: float
    """When its first exchange was, as far as this process knows."""
    last: float
    queries: int
    """How many were seen here; of exact repeats too."""


class Profiles:
    """Of one layout of counters; not to be shared between threads."""

    def __init__(self, layout: Layout, decay: Decay, capacity: int, *, draws: "Generator") -> None:
        """``draws`` choose whom to look at, so that nobody knows."""
        self.forgotten = 0
        """How many found no place any more."""
        self.capacity = capacity
        self._layout, self._decay = layout, decay
        self._draws = draws
        self._share = max(1, int(capacity * _SHARE))
        self._counters: list[npt.NDArray[np.float32]] = []
        self._asked: list[npt.NDArray[np.uint8]] = []
        self._times = _column(capacity, "d")
        self._firsts = _column(capacity, "d")
        self._lasts = _column(capacity, "d")
        self._queries = _column(capacity, "f")
        self._nats = _column(capacity, "f")
        self._names: list[str] = []
        """By row; empty where it is free."""
        self._rows: dict[str, int] = {}
        self._free: list[int] = []
        self._groups: dict[str, _Group] = {}
        self._of = [_Group()] * capacity
        """The group of a row."""
        self._births = _column(capacity, "q")
        self._born = 0
        self._places = _column(capacity, "i")
        """Where a row stands in its group."""
        self._large: dict[str, _Group] = {}
        """Those that take more than a share."""

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, subject: str) -> bool:
        return subject in self._rows

    def add(self, subject: str, group: str, features: Features) -> None:
        """Count an exchange.  ``group`` is whose share the subject takes of."""
        row = self._rows.get(subject)
        if row is None:
            row = self._new(subject, group, features.time)
        self._queries[row] += features.queries
        self._seen(row, features.time)
        once = unrepeated(self._asked[row // _CHUNK][row % _CHUNK], features)
        counters = self._counters[row // _CHUNK][row % _CHUNK]
        self._layout.count(counters, once, self._weight(row, counters, features.time))

    def read(self, subject: str, now: float) -> Profile | None:
        """A copy, with counters as of ``now``."""
        row = self._rows.get(subject)
        if row is None:
            return None
        counters = self._counters[row // _CHUNK][row % _CHUNK]
        factor = np.float32(self._decay.factor(now - self._times[row]))
        return Profile(
            counters * factor,
            self._asked[row // _CHUNK][row % _CHUNK].copy(),
            now,
            self._firsts[row],
            self._lasts[row],
            int(self._queries[row]),
        )

    def merge(self, subject: str, group: str, counters: Counters, asked: Asked, at: float) -> None:
        """Add counters, as of ``at``, and what was asked before."""
        row = self._rows.get(subject)
        if row is None:
            row = self._new(subject, group, at)
        own = self._counters[row // _CHUNK][row % _CHUNK]
        own += counters * np.float32(self._weight(row, own, at))
        self.known(subject, asked)

    def known(self, subject: str, asked: Asked) -> None:
        """Note what was asked elsewhere of a subject that is known."""
        row = self._rows.get(subject)
        if row is not None:
            bits = self._asked[row // _CHUNK][row % _CHUNK]
            np.bitwise_or(bits, asked, out=bits)

    def birth(self, subject: str) -> int:
        """Which of all profiles it is, 0 of none: one that is made anew is another."""
        row = self._rows.get(subject)
        return 0 if row is None else self._births[row]

    def first(self, subject: str) -> float | None:
        """When its first exchange was; None where it is not known."""
        row = self._rows.get(subject)
        return None if row is None else self._firsts[row]

    def begin(self, subject: str, group: str, time: float) -> None:
        """Have a profile, of nothing, where there is none."""
        if subject not in self._rows:
            self._new(subject, group, time)

    def judge(self, subject: str, nats: float) -> None:
        """Note how much speaks against it, where it is known: with much, it is forgotten last."""
        row = self._rows.get(subject)
        if row is not None:
            self._nats[row] = max(0.0, nats)

    def forget(self, subject: str) -> None:
        row = self._rows.pop(subject, None)
        if row is None:
            return
        self._free.append(row)
        self._names[row] = ""
        group = self._of[row]
        moved = group.leave(self._places[row])
        self._places[moved] = self._places[row]
        if len(group) <= self._share:
            self._large.pop(group.name, None)
        if not len(group):
            del self._groups[group.name]

    def clear(self) -> None:
        """Forget all."""
        for kept in (self._rows, self._names, self._free, self._groups, self._large):
            kept.clear()

    def subjects(self) -> Iterator[str]:
        return iter(self._rows)

    def _seen(self, row: int, time: float) -> None:
        if time < self._firsts[row]:
            self._firsts[row] = time
        elif time > self._lasts[row]:
            self._lasts[row] = time

    def _weight(self, row: int, counters: Counters, time: float) -> float:
        """What an exchange at ``time`` counts, among counters as of the row's time."""
        age = time - self._times[row]
        factor = self._decay.factor(abs(age))
        if age < 0:
            return factor
        if factor > _STALE:
            return 1.0 / factor
        counters *= np.float32(factor)
        self._times[row] = time
        return 1.0

    def _new(self, subject: str, group: str, time: float) -> int:
        if len(self._rows) >= self.capacity:
            self.forget(self._least(group, time))
            self.forgotten += 1
        row = self._free.pop() if self._free else self._grown()
        self._clear(row, time)
        self._born += 1
        self._births[row] = self._born
        self._rows[subject], self._names[row] = row, subject
        whose = self._groups.get(group)
        if whose is None:
            whose = self._groups[group] = _Group(group)
        self._of[row], self._places[row] = whose, whose.enter(row)
        if len(whose) > self._share:
            self._large[group] = whose
        return row

    def _grown(self) -> int:
        row = len(self._names)
        if row == _CHUNK * len(self._counters):
            rows = min(_CHUNK, self.capacity - row)
            self._counters.append(np.zeros((rows, self._layout.size), np.float32))
            self._asked.append(np.zeros((rows, ASKED), np.uint8))
        self._names.append("")
        return row

    def _clear(self, row: int, time: float) -> None:
        self._counters[row // _CHUNK][row % _CHUNK] = 0.0
        self._asked[row // _CHUNK][row % _CHUNK] = 0
        self._times[row] = self._firsts[row] = self._lasts[row] = time
        self._queries[row] = self._nats[row] = 0.0

    def _least(self, group: str, now: float) -> str:
        """Whom to forget for another of this group."""
        own = self._groups.get(group)
        if own is not None and len(own) >= self._share:
            rows: Sequence[int] = own.rows
        elif self._large:
            rows = next(iter(self._large.values())).rows
        else:
            rows = range(self.capacity)
        looked = self._draws.integers(0, len(rows), _LOOKED).tolist()
        return self._names[
            min((rows[place] for place in looked), key=lambda row: self._worth(row, now))
        ]

    def _worth(self, row: int, now: float) -> tuple[int, int, float]:
        last = self._lasts[row]
        factor = self._decay.factor(now - last)
        notable = int(self._nats[row] * factor / _NOTABLE)
        return notable, int(log2(1.0 + self._queries[row] * factor)), last


@overload
def _column(rows: int, kind: Literal["d", "f"]) -> "memoryview[float]": ...
@overload
def _column(rows: int, kind: Literal["i", "q"]) -> "memoryview[int]": ...
def _column(rows: int, kind: Literal["d", "f", "i", "q"]) -> "memoryview[float] | memoryview[int]":
    """Numbers, a row each, all of them 0: memory is taken as they are used, and to reach one takes
    less time than of an array.
    """
    return np.zeros(rows, kind).data.cast("B").cast(kind)


class _Group:
    """The rows of one tenant's subjects, in any order."""

    __slots__ = ("name", "rows")

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.rows = array("i")

    def __len__(self) -> int:
        return len(self.rows)

    def enter(self, row: int) -> int:
        """Its place."""
        self.rows.append(row)
        return len(self.rows) - 1

    def leave(self, place: int) -> int:
        """The row that has the place now, or had it as the last."""
        last = self.rows.pop()
        if place < len(self.rows):
            self.rows[place] = last
        return last

"""What is kept of subjects to link them by: whence they came, with what, what they asked, when.

Rules.  256 bytes a subject, beside its profile, for so many subjects.  Nothing depends on the order
of requests: of digests the largest are kept, so that two subjects with a digest in common both
keep it or, having larger ones, drop it (Cohen and Kaplan, "Summarizing Data Using Bottom-k
Sketches", PODC 2007).  Where there are too many subjects, those of the largest rank are kept:
a random sample that nobody can aim at who does not know the key.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from heapq import heappush, heapreplace
from typing import Final

import numpy as np
import numpy.typing as npt

PLACES: Final = 32
"""Numbers of 64 bits that are kept of a subject."""
NETWORKS: Final = (0, 3)
CLIENTS: Final = (3, 6)
PROBES: Final = (6, 24)
SLOTS: Final = (24, 32)
"""A bit for each quarter of an hour in which it was active."""
KINDS: Final = (NETWORKS, CLIENTS, PROBES)
"""What digests are of."""
QUARTER: Final = 900.0
"""Seconds."""
PERIOD: Final = 480 * QUARTER
"""Seconds after which a new trail begins: five days."""
PERIODS: Final = 2
"""That are remembered: the one that is, and the one before."""

Rows = npt.NDArray[np.uint64]


class Trails:
    """Of one period."""

    def __init__(self, most: int, key: bytes) -> None:
        """So many subjects at most; ``key``, of at most 64 bytes, is a secret."""
        self._most, self._key = most, key
        self._rows: Rows = np.zeros((most, PLACES), np.uint64)  # pages are touched as they fill
        self._ranks: Rows = np.zeros(most, np.uint64)
        self._numbers = self._rows.data.cast("B").cast("Q")
        self._places: dict[str, int] = {}
        self._least: list[tuple[int, int, str]] = []

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._places))

    def of(self, subject: str) -> tuple[Rows, int] | None:
        """Its numbers, shape (PLACES,), and its rank; None where it is not among those kept."""
        place = self._places.get(subject)
        return None if place is None else (self._rows[place], int(self._ranks[place]))

    def add(
        self, subject: str, slot: int, network: int, client: int, probes: Iterable[int]
    ) -> None:
        """One exchange in a quarter of an hour, below 480; digests are of 64 bits, 0 for none."""
        place = self._place(subject)
        if place is None:
            return
        numbers, start = self._numbers, place * PLACES
        _keep(numbers, start + NETWORKS[0], start + NETWORKS[1], network)
        _keep(numbers, start + CLIENTS[0], start + CLIENTS[1], client)
        for probe in probes:
            _keep(numbers, start + PROBES[0], start + PROBES[1], probe)
        numbers[start + SLOTS[0] + (slot >> 6)] |= 1 << (slot & 63)

    def hear(self, subject: str, numbers: Rows) -> None:
        """What another replica has kept of it, shape (PLACES,)."""
        place = self._place(subject)
        if place is None:
            return
        own = self._rows[place]
        own[SLOTS[0] : SLOTS[1]] |= numbers[SLOTS[0] : SLOTS[1]]
        for first, end in KINDS:
            own[first:end] = kept(own[first:end], numbers[first:end])

    def _place(self, subject: str) -> int | None:
        """Its own, or a new one; None where it is not kept."""
        place = self._places.get(subject)
        return self._room(subject) if place is None else place

    def _room(self, subject: str) -> int | None:
        rank = int.from_bytes(
            hashlib.blake2b(subject.encode(), digest_size=8, key=self._key).digest()
        )
        place = len(self._places)
        if place < self._most:
            heappush(self._least, (rank, place, subject))
        else:
            least, place, other = self._least[0]
            if rank <= least:
                return None
            heapreplace(self._least, (rank, place, subject))
            del self._places[other]
            self._rows[place] = 0
        self._places[subject], self._ranks[place] = place, rank
        return place


def kept(one: Rows, other: Rows) -> Rows:
    """Of two trails' digests of one kind, sorted, those that the trail of both keeps."""
    both = np.unique(np.concatenate([one, other]))  # 0 among them where there is room
    found = np.zeros(len(one), np.uint64)
    some = both[-len(one) :]
    found[len(one) - len(some) :] = some
    return found


def _keep(numbers: memoryview, first: int, end: int, digest: int) -> None:
    """Among the numbers from ``first`` on, which are sorted, 0 where there is room."""
    if digest <= numbers[first]:
        return
    place = bisect_left(numbers, digest, first, end)
    if place < end and numbers[place] == digest:
        return
    numbers[first : place - 1] = numbers[first + 1 : place]
    numbers[place - 1] = digest

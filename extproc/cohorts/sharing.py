"""Who has a digest in common, and how rare it is; which pairs of subjects are looked at.

Rules.  What more than a quarter of all have is ignored, or a crowd.  Of those who share a digest
each is paired with the next few, ordered by what else they have: so there are at most so many
pairs, those who share two things are next to each other, and whoever belongs together is connected.
Nothing depends on the order of subjects.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.canonical import Steps
from extproc.cohorts.snapshot import Snapshot
from extproc.cohorts.trail import Rows

NEXT: Final = 8
"""Others that each is paired with, of those who share a digest."""
COMMON: Final = 4
"""What one in so many subjects has is too common."""
CROWD: Final = 4096
"""So is what more have than that, of however many."""
PARTS: Final = 64
"""Digests are looked at in so many parts."""
PAIRS: Final = 2048
"""At most so many of one part: first those who share two things, then those of the rarest."""

ENTRIES: Final = 1 << 14
"""Places that are looked at in one slice."""

Entries = npt.NDArray[np.intp]
"""Shape (entries,): places among all digests."""
Pairs = npt.NDArray[np.int64]
"""Shape (pairs, 2): numbers of subjects."""


@dataclass(frozen=True, eq=False)
class Shares:
    """Of one kind of digests."""

    shares: npt.NDArray[np.float32]
    """The share of other subjects that have each digest, shape (subjects, places); 0 where none
    has, or it is too common."""
    pairs: Pairs


def shared(snapshot: Snapshot, kind: int) -> Steps[Shares]:
    """Yield at the end of each slice."""
    digests = snapshot.digests[kind]
    shares = np.zeros(digests.shape, np.float32)
    others = snapshot.digests[1 if kind == 0 else 0].max(axis=1)
    parts = yield from _parted(digests)
    found = []
    for part in parts:
        found.append(_part(snapshot.ranks, digests, np.concatenate(part), others, shares))
        yield
    return Shares(shares, np.concatenate(found))


def _parted(digests: Rows) -> Steps[list[list[Entries]]]:
    """Where there are digests, by their first bits."""
    found: list[list[Entries]] = [[np.zeros(0, np.intp)] for _ in range(PARTS)]
    flat = digests.ravel()
    for start in range(0, len(flat), ENTRIES):
        some = flat[start : start + ENTRIES]
        entries = np.flatnonzero(some)
        parts = (some[entries] >> np.uint64(58)).astype(np.uint8)
        order = np.argsort(parts, kind="stable")
        ends = np.searchsorted(parts[order], np.arange(PARTS + 1))
        for part, (first, end) in zip(found, pairwise(ends.tolist()), strict=True):
            part.append(start + entries[order[first:end]])
        yield
    return found


def _part(
    ranks: Rows,
    digests: Rows,
    entries: Entries,
    others: Rows,
    shares: npt.NDArray[np.float32],
) -> Pairs:
    entries = _uncrowded(digests.ravel(), entries)
    subjects = entries // digests.shape[1]
    values = digests.ravel()[entries]
    order = np.lexsort((ranks[subjects], others[subjects], values))
    subjects, values, entries = subjects[order], values[order], entries[order]
    _, runs, sizes = np.unique(values, return_inverse=True, return_counts=True)
    size = sizes[runs]
    rare = (size > 1) & (size <= max(NEXT, min(len(ranks) // COMMON, CROWD)))
    share = np.where(rare, (size - 1) / max(len(ranks) - 1, 1), 0.0)
    shares.ravel()[entries] = share
    firsts, seconds, steps = [], [], []
    for step in range(1, NEXT + 1):
        together = np.flatnonzero((runs[:-step] == runs[step:]) & rare[step:])
        firsts.append(together)
        seconds.append(together + step)
        steps.append(np.full(len(together), step))
    first, second = np.concatenate(firsts), np.concatenate(seconds)
    if len(first) > PAIRS:
        apart = others[subjects[first]] != others[subjects[second]]
        order = np.lexsort((values[first], np.concatenate(steps), share[first], apart))[:PAIRS]
        first, second = first[order], second[order]
    return np.sort(np.stack([subjects[first], subjects[second]], axis=1), axis=1)


def _uncrowded(flat: Rows, entries: Entries) -> Entries:
    """Without what a crowd has, as far as it makes up most of many entries: it takes long to sort,
    and is ignored.
    """
    while len(entries) > 2 * CROWD:
        values = flat[entries]
        same = values == np.partition(values, len(values) // 2)[len(values) // 2]
        if np.count_nonzero(same) <= CROWD:
            break
        entries = entries[~same]
    return entries

"""The trails of two periods as they stand, side by side, to find links in.

Rule: it is taken in slices of so many subjects, and what comes meanwhile may be in it or not.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.canonical import Steps
from extproc.cohorts.trail import CLIENTS, NETWORKS, PLACES, PROBES, SLOTS, Rows, Trails

SLICE: Final = 256
"""Subjects."""
KINDS: Final = (NETWORKS, CLIENTS, PROBES)
"""What digests are of."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Of so many subjects."""

    subjects: list[str]
    ranks: Rows
    """Shape (subjects,)."""
    digests: tuple[Rows, ...]
    """Of networks, clients and probes, each shape (subjects, places), 0 where there is none, and
    none of one subject twice."""
    slots: npt.NDArray[np.uint8]
    """Bits, shape (subjects, bytes)."""


def taken(earlier: Trails, later: Trails) -> Steps[Snapshot]:
    """Yield at the end of each slice."""
    subjects = list(dict.fromkeys([*earlier, *later]))
    rows = np.zeros((len(subjects), 2, PLACES), np.uint64)
    ranks = np.zeros(len(subjects), np.uint64)
    for number, subject in enumerate(subjects):
        for period, trails in enumerate((earlier, later)):
            known = trails.of(subject)
            if known is not None:
                rows[number, period], ranks[number] = known
        if number % SLICE == SLICE - 1:
            yield
    digests = [np.zeros((len(subjects), 2 * (end - first)), np.uint64) for first, end in KINDS]
    for start in range(0, len(subjects), 4 * SLICE):
        part = slice(start, start + 4 * SLICE)
        for found, (first, end) in zip(digests, KINDS, strict=True):
            found[part] = _once(rows[part, :, first:end])
        yield
    slots = np.ascontiguousarray(rows[:, :, SLOTS[0] : SLOTS[1]]).view(np.uint8)
    return Snapshot(
        subjects, ranks, tuple(digests), slots.reshape(len(subjects), 16 * (SLOTS[1] - SLOTS[0]))
    )


def _once(rows: Rows) -> Rows:
    """Both periods' digests beside each other, and no digest twice."""
    found = np.sort(rows.reshape(len(rows), 2 * rows.shape[2]), axis=1)
    found[:, 1:][found[:, 1:] == found[:, :-1]] = 0
    return found

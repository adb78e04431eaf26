"""The trails of two periods as they stand, side by side, to find links in.

Rule: it is taken in slices of so many subjects, and what comes meanwhile may be in it or not.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.canonical import Steps
from extproc.cohorts.trail import KINDS, PERIODS, PLACES, SLOTS, Rows, Trails

SLICE: Final = 256
"""Subjects."""


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
    subjects = yield from _subjects(earlier, later)
    rows = np.zeros((len(subjects), PERIODS, PLACES), np.uint64)
    ranks = np.zeros(len(subjects), np.uint64)
    for number, subject in enumerate(subjects):
        for period, trails in enumerate((earlier, later)):
            known = trails.of(subject)
            if known is not None:
                rows[number, period], ranks[number] = known
        if number % SLICE == SLICE - 1:
            yield
    yield
    digests = [np.zeros((len(subjects), 2 * (end - first)), np.uint64) for first, end in KINDS]
    slots = np.zeros((len(subjects), PERIODS, SLOTS[1] - SLOTS[0]), np.uint64)
    for start in range(0, len(subjects), SLICE):
        part = slice(start, start + SLICE)
        for found, (first, end) in zip(digests, KINDS, strict=True):
            found[part] = _once(rows[part, :, first:end])
        slots[part] = rows[part, :, SLOTS[0] : SLOTS[1]]
        yield
    octets = slots.view(np.uint8).reshape(len(subjects), 8 * slots.shape[1] * slots.shape[2])
    return Snapshot(subjects, ranks, tuple(digests), octets)


def _subjects(earlier: Trails, later: Trails) -> Steps[list[str]]:
    """Those of both, each once."""
    found: dict[str, None] = {}
    for subjects in ([*earlier], [*later]):
        for start in range(0, len(subjects), 16 * SLICE):
            found.update(dict.fromkeys(subjects[start : start + 16 * SLICE]))
            yield
    return list(found)


def _once(rows: Rows) -> Rows:
    """Both periods' digests beside each other, and no digest twice."""
    found = np.sort(rows.reshape(len(rows), 2 * rows.shape[2]), axis=1)
    found[:, 1:][found[:, 1:] == found[:, :-1]] = 0
    return found

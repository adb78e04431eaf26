"""What a caller's whole profile looks like, in a few ratios: what an isolation forest sees of it.

Rule: made of the counters of a profile alone, each number between 0 and 1 or about, so that no one
of them outweighs the others; what nothing is known of is 0.
"""

from collections.abc import Mapping
from itertools import accumulate
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.detectors import cadence, knobs, near_duplicate, volume
from extproc.detectors.coverage import CELLS
from extproc.detectors.detector import Counters
from extproc.detectors.features import KNOBS, LABELS, MARGINS, MODELS, NORMS

Sessions = npt.NDArray[np.float32]
"""Shape (..., NUMBERS)."""

NUMBERS: Final = 16
_OCCUPIED: Final = 0.5
_TIES: Final = 4
"""Buckets of margins that are next to a tie."""
_SCALE: Final = 10.0
_GROUPS: Final = {
    "cells": ("coverage", 0, CELLS),
    "labels": ("boundary", 0, LABELS),
    "norms": ("boundary", LABELS + MARGINS, NORMS),
    "slots": ("cadence", 0, cadence.SLOTS),
    "models": ("knobs", KNOBS, MODELS),
    "near": ("near_duplicate", 0, near_duplicate.CELLS),
    "days": ("volume", 0, volume.DAYS),
    "ties": ("boundary", LABELS, _TIES),
    "margins": ("boundary", LABELS, MARGINS),
    "known": ("novelty", 0, 1),
    "surprise": ("novelty", 1, 1),
    "limited": ("cadence", cadence.SLOTS, 1),
    "timed": ("cadence", cadence.SLOTS, 2),
    "fields": ("knobs", 0, KNOBS),
    "unknown": ("knobs", knobs.REQUESTS - 1, 1),
    "requests": ("knobs", knobs.REQUESTS, 1),
    "refused": ("knobs", knobs.REQUESTS + 1, 1),
}
"""Counters that are added up: whose they are, where they begin there, and how many."""
_ROOM: Final = np.array([size for _, _, size in _GROUPS.values()])
_STARTS: Final = np.array([0, *accumulate(_ROOM.tolist())][:-1])
_PLACES: Final = {name: place for place, name in enumerate(_GROUPS)}


def _places(names: str) -> list[int]:
    return [_PLACES[name] for name in names.split()]


_EVEN: Final = slice(0, 5)
"""Groups that come first: how evenly they are filled."""
_CROWDED: Final = slice(5, 7)
"""Those that follow: how often two of a group are in the same place."""
_PARTS: Final = _places("cells surprise ties limited fields unknown refused")
_WHOLES: Final = _places("days known margins timed requests requests requests")


class Summary:
    """Where in a profile a session's numbers are found."""

    def __init__(self, parts: Mapping[str, slice]) -> None:
        """``parts``: where the counters of each detector are, as a Layout has it."""
        begins = [parts[name].start + start for name, start, _ in _GROUPS.values()]
        each = zip(begins, _ROOM.tolist(), strict=True)
        self._counters = np.concatenate([np.arange(begin, begin + size) for begin, size in each])

    def sessions(self, counters: Counters) -> Sessions:
        """Of profiles, shape (..., counters).  In their order: how many cells are asked about anew,
        of all queries; how many these are; how many cells are occupied, and how evenly; the mean
        surprise; how often queries meet in a band; how evenly labels are spread, how many answers
        are ties, norms; slots of the day; what is limited; fields; models, those unknown; what is
        refused; how often two queries came on one day.
        """
        counts = counters[..., self._counters].astype(np.float64)
        sums = np.add.reduceat(counts, _STARTS, axis=-1)
        found = np.empty((*sums.shape[:-1], NUMBERS), np.float32)
        wholes = sums[..., _WHOLES]
        found[..., [0, 4, 7, 10, 11, 13, 14]] = sums[..., _PARTS] / _divisor(wholes)
        found[..., 0] = np.minimum(found[..., 0], 1.0)
        found[..., 11] /= KNOBS
        found[..., 1] = np.log1p(sums[..., _PLACES["days"]]) / _SCALE
        found[..., 2] = (counts[..., :CELLS] > _OCCUPIED).mean(axis=-1)
        found[..., [3, 6, 8, 9, 12]] = _evenness(counts, sums)
        found[..., [5, 15]] = _crowding(counts, sums)
        return found


def _divisor(sums: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """By which what is nothing of nothing is nothing."""
    return np.where(sums > 0, sums, np.inf)


def _evenness(
    counts: npt.NDArray[np.float64], sums: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """The entropy of each of these groups, of what it is at most."""
    some, totals = counts[..., : _STARTS[_EVEN.stop]], _divisor(sums[..., _EVEN])
    shares = some / np.repeat(totals, _ROOM[_EVEN], axis=-1)
    told = shares * np.log(np.where(shares > 0, shares, 1.0))
    entropies = -np.add.reduceat(told, _STARTS[_EVEN], axis=-1)
    even: npt.NDArray[np.float64] = entropies / np.log(_ROOM[_EVEN])
    return even


def _crowding(
    counts: npt.NDArray[np.float64], sums: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    some = counts[..., _STARTS[_CROWDED.start] : _STARTS[_CROWDED.stop]]
    squares = np.add.reduceat(some * some, _STARTS[_CROWDED] - _STARTS[_CROWDED.start], axis=-1)
    crowded: npt.NDArray[np.float64] = squares / np.square(_divisor(sums[..., _CROWDED]))
    return crowded

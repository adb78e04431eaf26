"""How much evidence benign callers have after so many queries: what p-values are read from.

Rules.  Callers are compared with those that have asked as often, since evidence grows, or falls,
with every query.  Where too few benign callers got so far, nothing is rare; nor is evidence that
clearly speaks for a caller, however few have as much.  A quantile is the
upper limit, at 95 %, of what these callers are a sample of (by order statistics: David and
Nagaraja, "Order Statistics", 3rd edition, 2003, 7.1); and those that are nearly the same are.
Evidence is taken as if all had been asked just now, so that who asks slowly is like who does not.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from extproc.cohorts.affinity import INCOHERENCE
from extproc.cohorts.excess import LEVELS
from extproc.detectors.detector import Counters

CHECKPOINTS: Final = (1, 2, 3, 4, 5, 8, 16, 32)
"""Distinct queries after which a caller is counted."""
DRIFTS: Final = (0.85,) * 5 + (0.75, 0.6, 0.6)
"""At each of them, as of ``excess.null``: the more a caller has asked, the more it shows of what
trade its company is, and the less alike are those of one company and of another."""
LEAST_NATS: Final = -1.5
"""Evidence that is less counts as much."""
LEAST: Final = 100
"""Benign callers of whom it can be told what one in fifty reaches."""
_SURE: Final = 1.645
"""Standard deviations for 95 %."""
_SAME, _NOISE = 0.25, 0.05
"""Nats."""
_OLD: Final = 2.0
"""Of what is a half-life old a half is left."""
_NEVER: Final = (math.inf,) * len(LEVELS)

Quantiles = dict[str, tuple[tuple[float, ...], ...]]
"""By detector: for each of CHECKPOINTS the evidence, in nats, at each of LEVELS."""


class Usual(Struct, frozen=True):
    """Of one traffic class.  Raise ValueError where quantiles are not as many, or do not rise."""

    quantiles: Quantiles
    affinity: bytes = b""
    """What its callers ask of together; see affinity.py."""

    def __post_init__(self) -> None:
        for rows in self.quantiles.values():
            widths = [len(row) for row in rows]
            rising = all(list(row) == sorted(row) and not any(map(math.isnan, row)) for row in rows)
            if widths != [len(LEVELS)] * len(CHECKPOINTS) or not rising:
                raise ValueError("quantiles of usual evidence must rise, as many as there are")
        if (INCOHERENCE in self.quantiles) != bool(self.affinity):
            raise ValueError("quantiles of usual evidence must be of what is learnt, and no more")

    def bins(self, checkpoint: int, evidence: Mapping[str, float]) -> bytes:
        """How rare the evidence of each detector is, in the order of quantiles; 0 for the least."""
        return bytes(
            bisect_left(rows[checkpoint], evidence[detector])
            for detector, rows in self.quantiles.items()
        )


def usual(lives: Mapping[str, Sequence[Sequence[float]]], affinity: bytes = b"") -> Usual:
    """By detector: for each of CHECKPOINTS the evidence of benign callers that got so far.

    Raise ValueError where there are too few of them at all.
    """
    most = max((len(each) for told in lives.values() for each in told), default=0)
    if most < LEAST:
        raise ValueError(f"{most} benign callers are too few to tell what one in {LEAST} reaches")
    return Usual({name: tuple(map(_levels, told)) for name, told in lives.items()}, affinity)


def _levels(nats: Sequence[float]) -> tuple[float, ...]:
    if len(nats) < LEAST:
        return _NEVER
    ranked = [*sorted(nats), math.inf]
    return _apart([max(ranked[_place(level, len(nats))], LEAST_NATS) for level in LEVELS])


def _place(level: float, callers: int) -> int:
    """Of the order statistic that is above the quantile, or surely is with more than all."""
    spread = math.sqrt(callers * level * (1 - level))
    return min(math.ceil(level * callers + _SURE * spread), callers)


def _apart(quantiles: Sequence[float]) -> tuple[float, ...]:
    """Each no less than it was, and the same as the next or clearly less."""
    found: list[float] = []
    for nats in reversed(quantiles):
        known = found[-1] if found else math.inf
        found.append(nats + _NOISE if known - nats > _SAME or known == math.inf else known)
    return tuple(reversed(found))


def undecayed(counters: Counters, cells: Counters, queries: float) -> Counters:
    """Counters as if so many distinct queries had been asked just now; ``cells`` are those of them
    that say how many fell into each cell.  Nothing grows by more than ``_OLD``.
    """
    counted = float(cells.sum())
    return counters * np.float32(min(max(queries / counted, 1.0), _OLD) if counted else 1.0)


def checkpoint(queries: float) -> int:
    """The last that it has passed; -1 where it has passed none."""
    return bisect_right(CHECKPOINTS, queries) - 1

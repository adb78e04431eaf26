"""How much evidence benign callers have after so many queries: what p-values are read from.

Rule: callers are compared with those that have asked as often, since evidence grows, or falls, with
every query.  Where too few benign callers got so far, nothing is rare.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from extproc.cohorts.excess import LEVELS

CHECKPOINTS: Final = (1, 2, 4, 8, 16, 32)
"""Distinct queries after which a caller is counted."""
LEAST: Final = 100
"""Benign callers of whom it can be told what one in a hundred reaches."""
_NEVER: Final = (math.inf,) * len(LEVELS)

Quantiles = dict[str, tuple[tuple[float, ...], ...]]
"""By detector: for each of CHECKPOINTS the evidence, in nats, at each of LEVELS."""


class Usual(Struct, frozen=True):
    """Of one traffic class.  Raise ValueError where quantiles are not as many, or do not rise."""

    quantiles: Quantiles

    def __post_init__(self) -> None:
        for rows in self.quantiles.values():
            widths = [len(row) for row in rows]
            rising = all(list(row) == sorted(row) and not math.isnan(sum(row)) for row in rows)
            if widths != [len(LEVELS)] * len(CHECKPOINTS) or not rising:
                raise ValueError("quantiles of usual evidence must rise, as many as there are")

    def bin(self, detector: str, checkpoint: int, nats: float) -> int:
        """How rare it is; 0 for what more than half of all benign callers have."""
        return int(np.searchsorted(self.quantiles[detector][checkpoint], nats, side="left"))


def usual(lives: Mapping[str, Sequence[Sequence[float]]]) -> Usual:
    """By detector: for each of CHECKPOINTS the evidence of benign callers that got so far.

    Raise ValueError where there are too few of them at all.
    """
    most = max((len(each) for told in lives.values() for each in told), default=0)
    if most < LEAST:
        raise ValueError(f"{most} benign callers are too few to tell what one in {LEAST} reaches")
    return Usual({name: tuple(map(_levels, told)) for name, told in lives.items()})


def _levels(nats: Sequence[float]) -> tuple[float, ...]:
    if len(nats) < LEAST:
        return _NEVER
    ranked = sorted(nats)
    return tuple(float(ranked[math.ceil(level * (len(ranked) - 1))]) for level in LEVELS)


def checkpoint(queries: float) -> int:
    """The last that it has passed; -1 where it has passed none."""
    return int(np.searchsorted(CHECKPOINTS, queries, side="right")) - 1

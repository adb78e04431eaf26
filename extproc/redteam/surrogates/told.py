"""What scores say once it is seen how they were served.

Rule: nothing is known of the policy but what the answers show.  Scores that all lie on a grid of
decimals were rounded to it; scores of which there are but a few were put into bins; each stands for
an interval.  A zero is no score of zero: it may have been rounded away, or withheld because others
were larger, and then it is below the smallest that was told.  The grid is a lower bound of the
error: a gateway that rounds all classes together moves some of them by up to a step.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from extproc.redteam.answers import Bools, Floats

FINEST: Final = 9
"""Decimals; a grid finer than this is not told from none."""
FEW: Final = 12
"""Different scores, at most, that are taken for bins rather than for a grid or for none."""
_NEAR: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Told:
    """Scores [N, C] as they came, with the interval [N, C] that each stands for."""

    scores: Floats
    shown: Bools
    """Where there is a score at all; the others have been withheld, or are too small."""
    low: Floats
    high: Floats
    step: float
    """Of the grid; 0 where scores came as they are."""

    @property
    def exact(self) -> bool:
        return self.step == 0.0

    @property
    def complete(self) -> bool:
        return bool(self.shown.all())


def read(scores: Floats) -> Told:
    """Read scores [N, C] of answers that have some; raise ValueError where there are none."""
    shown = scores > 0
    seen = scores[shown]
    if not seen.size:
        raise ValueError("no answer has a score")
    low, high, step = _levels(scores, seen) if _binned(seen) else _grid(scores, seen)
    hidden = _hidden(scores, shown, step)
    return Told(scores, shown, np.where(shown, low, 0.0), np.where(shown, high, hidden), step)


def decimals(scores: Floats) -> int | None:
    """How many a grid has that all of these scores lie on; None where there is none."""
    for digits in range(1, FINEST + 1):
        steps = scores * 10.0**digits
        if np.abs(steps - np.rint(steps)).max() < _NEAR:
            return digits
    return None


def _binned(seen: Floats) -> bool:
    """Few values, of which one comes again and again, on no grid or far apart on theirs."""
    values = np.unique(np.round(seen, FINEST))
    if len(values) > min(FEW, len(seen) / 4):
        return False
    digits = decimals(seen)
    return digits is None or (
        len(values) > 2 and float(np.diff(values).min()) > 1.5 * 10.0**-digits
    )


def _grid(scores: Floats, seen: Floats) -> tuple[Floats, Floats, float]:
    digits = decimals(seen)
    step = 0.0 if digits is None else 10.0**-digits
    return scores - step / 2, scores + step / 2, step


def _levels(scores: Floats, seen: Floats) -> tuple[Floats, Floats, float]:
    """Halfway to the neighbours; the outermost are as wide as their next."""
    values = np.unique(np.round(seen, FINEST))
    if len(values) == 1:
        return np.zeros_like(scores), np.ones_like(scores), 1.0
    between = (values[1:] + values[:-1]) / 2
    edges = np.concatenate(
        [[2 * values[0] - between[0]], between, [2 * values[-1] - between[-1]]]
    ).clip(0.0, 1.0)
    place = np.searchsorted(between, scores)
    return edges[place], edges[place + 1], float(np.diff(values).min())


def _hidden(scores: Floats, shown: Bools, step: float) -> Floats:
    """What a class without a score has at most [N, 1].

    Where a row shows as many as any does, that may be all it may show: what is hidden is below the
    smallest shown.  Where it shows fewer, the others were too small to be shown.
    """
    count = shown.sum(axis=1, keepdims=True)
    smallest = np.where(shown, scores, 1.0).min(axis=1, keepdims=True)
    full = count >= count.max()
    most: Floats = np.where(full, smallest + step / 2, np.maximum(step, _NEAR))
    return most

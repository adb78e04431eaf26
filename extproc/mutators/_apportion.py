"""Shares in whole steps, by largest remainder (Balinski and Young, "Fair Representation", 1982).

Rule: the steps add up to the sum, rounded to whole steps; the order stays, among equals the first
comes first, and no lesser class becomes the top's equal.  Counting is in whole numbers, so that
remainders add up and compare without error.

The same steps come of both ways to compute them: plain numbers are several times faster for the
few classes that most models have, numpy for thousands.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.mutators._domain import MOST, SMALL
from extproc.prediction import Vector

_Counts = npt.NDArray[np.int64]
STEP: Final = 10**9
"""Remainders are whole billionths of a step."""


def apportioned(values: Vector, grid: int) -> Vector:
    """Each class, shape (classes,), the float nearest to a whole number of steps of 1 / grid.

    The sum is the input's, rounded to whole steps; but any sum above 0 gives at least one step,
    which keeps the label.  No class is off by 2 steps, and 0 stays 0.
    """
    if values.size <= SMALL:
        return np.array([steps / grid for steps in few(values.tolist(), grid)], np.float64)
    return many(values, grid) / grid if values.any() else np.zeros_like(values)


def most_steps(grid: int) -> int:
    """What the steps of all classes add up to at most."""
    return math.ceil(MOST * grid)


def few(values: list[float], grid: int) -> list[int]:
    """Whole steps per class; of equal remainders the larger value's first."""
    scale = grid * STEP
    steps, ranked, over = [0] * len(values), [], 0
    for at, value in enumerate(values):
        if value:
            steps[at], remainder = divmod(round(value * scale), STEP)
            ranked.append((-remainder, -value, at))
            over += remainder
    if not ranked:
        return steps
    left = (over + STEP // 2) // STEP or int(not any(steps))
    ranked.sort()
    receivers = [at for _, _, at in ranked[:left]]
    for at in receivers:
        steps[at] += 1
    _part_few(steps, values, receivers)
    return steps


def _part_few(steps: list[int], values: list[float], receivers: list[int]) -> None:
    """As ``_part``."""
    best = max(values)
    top = values.index(best)
    most = steps[top]
    lesser = [at for at, count in enumerate(steps) if count == most and values[at] < best]
    if lesser:
        payer = receivers[-1] if receivers else min(reversed(lesser), key=values.__getitem__)
        steps[payer] -= 1
        steps[top] += 1


def many(values: Vector, grid: int) -> _Counts:
    """As ``few``, of values that are not all 0."""
    steps, remainders = np.divmod(np.rint(values * (grid * STEP)).astype(np.int64), STEP)
    left = (int(remainders.sum()) + STEP // 2) // STEP or int(not steps.any())
    receivers = np.lexsort((-values, -remainders))[:left]
    steps[receivers] += 1
    _part(steps, values, receivers)
    return steps


def _part(steps: _Counts, values: Vector, receivers: npt.NDArray[np.intp]) -> None:
    """Where lesser values have become the top's equals, give it the step handed out last.

    With that step withheld the rest is what largest remainder gives for one step less, so it keeps
    every law.  Where none was handed out, the last of the new equals pays: the one case in which
    values a step or more apart may end as equals.
    """
    top = values.argmax()
    lesser = np.flatnonzero((steps == steps[top]) & (values < values[top]))[::-1]
    if lesser.size:
        payer = receivers[-1] if receivers.size else lesser[values[lesser].argmin()]
        steps[payer] -= 1
        steps[top] += 1

"""Shares in whole steps for many rows at once.

Rule: as _apportion.py gives each of them, to the step.  Nothing is sorted but remainders: which of
them get a step is known from where the line between them runs, and only equals that it divides are
looked at again, by their values and then by their places.

Counts are whole numbers in floats, which are exact up to 2**53: a million steps of a billionth each
are 2**50.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from extproc.mutators._apportion import STEP
from extproc.mutators._rows import Counts, Mask, counted, first
from extproc.prediction import Matrix

_NONE: Final = 2**31 - 1
"""More than any remainder or value."""


def apportioned_rows(rows: Matrix, grid: int) -> Matrix:
    """As ``apportioned`` of each row."""
    scaled = rows * float(grid * STEP)
    np.rint(scaled, out=scaled)
    steps = scaled / STEP
    np.floor(steps, out=steps)
    scaled -= steps * STEP
    remainders = scaled
    receivers = _receivers(remainders, rows, _left(steps, remainders, rows))
    steps += receivers
    _part(steps, rows, remainders, receivers)
    steps /= grid
    return steps


def _left(steps: Matrix, remainders: Matrix, rows: Matrix) -> Counts:
    """How many steps are handed out by remainder; any sum above 0 gives one."""
    over = np.einsum("ij->i", remainders)  # whole numbers: in any order
    left: Counts = np.floor((over + STEP // 2) / STEP).astype(np.intp)
    none = np.flatnonzero(left == 0)
    if none.size:
        left[none] = ~steps[none].any(axis=1) & rows[none].any(axis=1)
    return left


def _receivers(remainders: Matrix, rows: Matrix, left: Counts) -> Mask:
    """Those of the largest remainder; of equals the larger values, and of these the first."""
    keys = remainders.astype(np.int32)
    least = _least(keys, left)
    chosen: Mask = keys >= least
    if np.count_nonzero(chosen) > left.sum():
        torn = np.flatnonzero(counted(chosen) > left)
        above, equal = keys[torn] > least[torn], keys[torn] == least[torn]
        chosen[torn] = above | _first_of_largest(equal, rows[torn], left[torn] - counted(above))
    return chosen


def _first_of_largest(equal: Mask, rows: Matrix, counts: Counts) -> Mask:
    """Of each row so many of the equals."""
    values = np.where(equal, rows, -1.0)
    least = _least(values, counts)
    above: Mask = values > least
    return above | first(values == least, counts - counted(above))


def _least(keys: npt.NDArray[Any], counts: Counts) -> npt.NDArray[Any]:
    """Of each row the least of the so many largest, shape (rows, 1)."""
    ordered = np.sort(np.ascontiguousarray(keys), axis=1)
    at = np.minimum(keys.shape[1] - counts, keys.shape[1] - 1)
    return np.where(counts > 0, ordered[np.arange(len(at)), at], _NONE)[:, np.newaxis]


def _part(steps: Matrix, rows: Matrix, remainders: Matrix, receivers: Mask) -> None:
    """As ``_apportion._part`` of each row.  The top has the most steps, as the order stays."""
    alike: Mask = steps == steps.max(axis=1, keepdims=True)
    if np.count_nonzero(alike) == len(rows):
        return
    tops = rows.argmax(axis=1)
    torn = np.flatnonzero(counted(alike) > 1)
    lesser = alike[torn] & (rows[torn] < rows[torn, tops[torn]][:, np.newaxis])
    parted = lesser.any(axis=1)
    torn, lesser = torn[parted], lesser[parted]
    if torn.size:
        payers = _payers(rows[torn], remainders[torn], receivers[torn], lesser)
        steps[torn, payers] -= 1.0
        steps[torn, tops[torn]] += 1.0


def _payers(rows: Matrix, remainders: Matrix, receivers: Mask, lesser: Mask) -> Counts:
    """Of each row who got the last step, else the last of the least among the new equals."""
    given = receivers.any(axis=1, keepdims=True)
    keys = np.where(given, np.where(receivers, remainders, np.inf), np.where(lesser, 0.0, np.inf))
    values = np.where(keys == keys.min(axis=1, keepdims=True), rows, np.inf)
    backwards = (values == values.min(axis=1, keepdims=True))[:, ::-1]
    payers: Counts = rows.shape[1] - 1 - backwards.argmax(axis=1)
    return payers

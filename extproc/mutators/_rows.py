"""Many predictions of one size at once: the rows of a matrix.

Rule: bit for bit what the rows become one by one; and a matrix of which not a bit has changed is
the very object it was, as a prediction is.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.errors import UpstreamError
from extproc.mutators._domain import EXCESS, MOST, check_probabilities
from extproc.mutators._norm import NOTHING, snapped
from extproc.prediction import Matrix, Vector

Mask = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.intp]
_UNSURE: Final = 1e-6
"""Nearer than this to a border, plain arithmetic decides on which side of it a number is."""
_EXACT: Final = 22
"""The powers of ten up to this one are floats."""
_POWERS: Final = np.array([10.0**power for power in range(_EXACT + 1)])


def settled(after: Matrix, before: Matrix) -> Matrix:
    """What was before where not a bit of it has changed."""
    if after.shape != before.shape or after[:1].tobytes() != before[:1].tobytes():
        return after
    return before if np.array_equal(_bits(after), _bits(before)) else after


def _bits(rows: Matrix) -> npt.NDArray[np.int64]:
    return rows.T.view(np.int64).T if rows.flags.f_contiguous else rows.view(np.int64)


def check_rows(rows: Matrix) -> None:
    """Raise UpstreamError where one of the rows holds no probabilities."""
    least, most = rows.min(), rows.max()
    total = np.add.reduce(rows, axis=1).max()
    # How sums come out depends on their order, so near the border each row is asked itself.
    if not (least >= 0.0 and most <= 1.0 + EXCESS and total <= MOST - _UNSURE):
        for row in rows:
            check_probabilities(row)


def counted(mask: Mask) -> Counts:
    """How many of each row are set."""
    counts: Counts = np.einsum("ij->i", mask, dtype=np.intp)
    return counts


def first(equal: Mask, counts: Counts) -> Mask:
    """Of each row the first so many that are set."""
    return equal & (np.cumsum(equal, axis=1) <= counts[:, np.newaxis])


def norms(rows: Matrix) -> Vector:
    """As ``norm`` of each row."""
    with np.errstate(over="ignore"):
        squares = np.add.reduce(rows * rows, axis=1)
    if not np.isfinite(squares).all():
        raise UpstreamError("an embedding is not finite")
    return np.where(squares >= NOTHING, np.sqrt(squares), 0.0)


def all_snapped(lengths: Vector) -> Vector:
    """As ``snapped`` of each."""
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.floor(np.log10(lengths)) - 1.0
        plain = np.abs(power) <= _EXACT
        power = np.where(plain, power, 0.0).astype(np.intp)
        factor, down = _POWERS[np.abs(power)], power < 0
        scaled = np.where(down, lengths * factor, lengths / factor)
    # Near a power of ten, 9.9999 and 99.999 of what is counted come to the same number.
    digits = np.rint(scaled)
    sure = plain & (np.abs(scaled - np.floor(scaled) - 0.5) > _UNSURE)
    served: Vector = np.where(down, digits / factor, digits * factor)
    for at in np.flatnonzero(~sure):
        served[at] = snapped(lengths[at])
    return served

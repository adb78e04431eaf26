"""How long a vector is, and how much of that is told.

Rule: the sum behind a length is numpy's own pairwise one, never BLAS's, whose order of summation
is the processor's choice: replicas on different machines must answer alike.  BLAS only tells, at a
tenth of what a look at each costs, that no number is too large to be squared.
"""

import math
from typing import Final

import numpy as np

from extproc.errors import UpstreamError
from extproc.prediction import Vector

NOTHING: Final = 1e-300
"""A sum of squares below this has lost its digits to underflow; no float32 vector gets here."""

_UNSURE: Final = 1e-9
"""More than two ways of adding up so many squares can differ, as part of the length."""

_OVERFLOWING: Final = 1e308
"""A sum of squares below this, in whatever order, has no square in it that is infinite."""


def norm(values: Vector) -> float:
    """Euclidean norm of values, shape (dimensions,); below 1e-150 it is 0.

    Raises UpstreamError where it is not a finite number.
    """
    if not np.vdot(values, values) < _OVERFLOWING:  # the only product that warns of nothing
        raise UpstreamError("an embedding is not finite")
    square = float(np.add.reduce(values * values))
    return math.sqrt(square) if square >= NOTHING else 0.0


def snapped(length: float) -> float:
    """Two significant digits of a length: 1 for all unit vectors, whatever their float error."""
    return float(f"{length:.1e}")


def snapped_norm(values: Vector) -> float:
    """``snapped(norm(values))``, of which BLAS's own sum tells the two digits nearly always.

    Raises UpstreamError where that is not a finite number.
    """
    square = float(np.vdot(values, values))
    if NOTHING < square < _OVERFLOWING:
        length = math.sqrt(square)
        least, most = snapped(length * (1.0 - _UNSURE)), snapped(length * (1.0 + _UNSURE))
        if least == most:
            return least
    return snapped(norm(values))

"""How long a vector is, and how much of that is told.

Rule: the sum behind a length is numpy's own pairwise one, never BLAS's, whose order of summation
is the processor's choice: replicas on different machines must answer alike.
"""

import math
from typing import Final

import numpy as np

from extproc.errors import UpstreamError
from extproc.prediction import Vector

_NOTHING: Final = 1e-300
"""A sum of squares below this has lost its digits to underflow; no float32 vector gets here."""


def norm(values: Vector) -> float:
    """Euclidean norm of values, shape (dimensions,); below 1e-150 it is 0.

    Raises UpstreamError where it is not a finite number.
    """
    with np.errstate(over="ignore"):
        square = float(np.add.reduce(values * values))
    if not math.isfinite(square):
        raise UpstreamError("an embedding is not finite")
    return math.sqrt(square) if square >= _NOTHING else 0.0


def snapped(length: float) -> float:
    """Two significant digits of a length: 1 for all unit vectors, whatever their float error."""
    return float(f"{length:.1e}")

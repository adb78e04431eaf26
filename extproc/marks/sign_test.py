"""How likely secret coins agree so well by chance with what was made without them.

Rule: each sign is drawn by a secret key, up as likely as down, and apart from the others.  What a
model gives that has seen no marked answer cannot hang on them, whatever model it is: beside them
its evidence is fixed numbers, and the sum of signed evidence has a law that is known.  So no model
of clean models is needed, and no random key has to be tried.

Of such sums of length 1 Bentkus and Dzindzalieta ("A tight Gaussian bound for weighted sums of
Rademacher random variables", Bernoulli 21, 2015) prove that one exceeds x no more often than
3.178 times as often as a normal number does; there are weights for which it does.  Of many small
weights it exceeds x just as often as a normal number, so that what is told is up to 3.178 times
too much.
"""

import math
from typing import Final

import numpy as np

from extproc.prediction import Vector

_NORMAL_EXACT: Final = 30.0
"""Deviations below which the complementary error function is a normal float64."""
WORST: Final = 3.178656
"""1 / (4 Q(sqrt 2)), rounded up; Q as below."""


def deviation(signs: Vector, evidence: Vector) -> float:
    """Of signs, 1 or -1 each, and what stands for each; both shape (coins,).

    In standard deviations; 0 where there is no evidence.
    """
    length = math.sqrt(float(np.vdot(evidence, evidence)))
    return float(np.vdot(signs, evidence)) / length if length else 0.0


def bits(deviations: float) -> float:
    """log2 of a p-value that is proven: at most 0."""
    return min(0.0, math.log2(WORST) + _normal_tail(deviations))


def _normal_tail(x: float) -> float:
    """log2 of Q(x), how often a normal number is at least x; beyond 30 of its bound by Mills."""
    if x < _NORMAL_EXACT:
        return math.log2(math.erfc(x / math.sqrt(2.0)) / 2.0)
    return (-x * x / 2.0 - math.log(x * math.sqrt(2.0 * math.pi))) / math.log(2.0)

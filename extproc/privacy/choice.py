"""Private choices among few: the exponential mechanism on counts, and randomised response.

Rule: as for noise, whole numbers decide.  The largest of counts with Gumbel noise is the
exponential mechanism's choice (McSherry and Talwar, "Mechanism Design via Differential Privacy",
FOCS 2007; Yellott, J. Math. Psychology 15, 1977), so that no logarithm is drawn.
"""

from bisect import bisect_right
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from typing import Final

import numpy as np

from extproc.draw import Draw
from extproc.privacy.noise import SHAVED, power
from extproc.privacy.table import BITS, Whole

_PLACES: Final = 320
_LEAST: Final = 1 << _PLACES - 192
"""Counts that lie so far below the largest that a class weighs less, weigh this: no pair of
neighbours is further apart for it."""
_UNIFORM: Final = 512
"""Bits of the uniform number that points at a class."""


class Exponential:
    """Counts c are answered with class i in proportion to e**(c[i] / scale)."""

    def __init__(self, scale: Fraction) -> None:
        ratio, weight, weights = power(SHAVED / scale), 1 << _PLACES, list[int]()
        while weight > _LEAST:
            weights.append(weight)
            weight = weight * ratio >> _PLACES
        self._weights = weights

    def weights(self, counts: Whole) -> list[int]:
        """In proportion, how likely each class is; shape (classes,)."""
        below = np.minimum(counts.max() - counts, len(self._weights) - 1)
        return [self._weights[each] for each in below.tolist()]

    def draw(self, secret: Draw, counts: Whole) -> int:
        """The class chosen."""
        ends = list(accumulate(self.weights(counts)))
        uniform = int.from_bytes(secret.octets(_UNIFORM // 8), "little")
        return bisect_right(ends, uniform * ends[-1] >> _UNIFORM)


@lru_cache(64)
def exponential(scale: Fraction) -> Exponential:
    """Kept, since its weights take milliseconds."""
    return Exponential(scale)


@lru_cache(1024)
def truthful(epsilon: Fraction, classes: int) -> int:
    """In 2**-128, how likely randomised response among so many classes tells the truth.

    Warner, JASA 60(309), 1965; for more than two classes Kairouz, Bonawitz and Ramage, "Discrete
    Distribution Estimation under Local Privacy", ICML 2016.
    """
    lie = power(epsilon * SHAVED)
    return (1 << _PLACES + BITS) // ((1 << _PLACES) + (classes - 1) * lie)


def respond(secret: Draw, epsilon: Fraction, classes: int, truth: int) -> int:
    """The truth, or with equal odds one of the other classes; there are at least 2."""
    octets = secret.octets(2 * BITS // 8)
    first = int.from_bytes(octets[: BITS // 8], "little")
    if first < truthful(epsilon, classes):
        return truth
    other = int.from_bytes(octets[BITS // 8 :], "little") * (classes - 1) >> BITS
    return other + (other >= truth)

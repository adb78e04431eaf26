"""What a promise of (epsilon, delta) has room for, and what has been spent of it.

Rule: what is asked of floats is bounded by more than their error, to the safe side: a capacity is
too small by less than a millionth, an epsilon too large.  A mechanism is mu-Gaussian-private if and
only if it is (epsilon, delta)-private for all epsilon with

    delta = tail(epsilon / mu - mu / 2) - e**epsilon * tail(epsilon / mu + mu / 2),

``tail`` being that of the unit normal law (Balle and Wang, "Improving the Gaussian Mechanism for
Differential Privacy", ICML 2018, theorem 8; Dong, Roth and Su, 2022, corollary 2.13).
"""

import math
from collections.abc import Callable
from typing import Final

from extproc.privacy.cost import NANO, Cost

DRAWN: Final = 2.0**-71
"""Total variation distance of all that a budget ever pays for from what exact draws would make.

An answer draws at most 2**16 numbers, each from a table that is off by less than 2**-112
(table.py); it costs at least 2**11 billionths, of which no budget has more than 2**36."""
LARGEST: Final = 32.0
"""The largest epsilon that is worth a promise; at e**32 hardly anything is hidden."""
LEAST_DELTA: Final = 1e-15
_MOST_MU: Final = 8.0
"""Its square is less than 2**36 billionths."""
_SAFE: Final = 1e-9
"""More than the float error of a delta, as part of it."""
_STEPS: Final = 200
"""Bisections: more than floats have bits."""


def delta_of(mu: float, epsilon: float) -> float:
    """The least delta at which mu-Gaussian privacy gives epsilon; at most a billionth too large.

    Both terms have a factor in common, the density at the first's argument: without it their
    difference keeps its digits.
    """
    if mu <= 0.0:
        return 0.0
    at = epsilon / mu - mu / 2.0
    scale = math.exp(-at * at / 2.0) if abs(at) < 38.0 else 0.0
    if at < 0.0:
        found = _tail(at) - scale * _ratio(at + mu)
    else:
        found = scale * (_ratio(at) - _ratio(at + mu))
    return min(1.0, max(0.0, found) * (1.0 + _SAFE) + _SAFE * scale * mu * 1e-6)


def _tail(at: float) -> float:
    return math.erfc(at / math.sqrt(2.0)) / 2.0


def _ratio(at: float) -> float:
    """``_tail(at) * exp(at**2 / 2)``; far out by Laplace's continued fraction."""
    if at < 5.0:  # from here on, eighty terms give all digits
        return _tail(at) * math.exp(at * at / 2.0)
    fraction = at
    for term in range(80, 0, -1):
        fraction = at + term / fraction
    return 1.0 / (math.sqrt(2.0 * math.pi) * fraction)


def capacity(epsilon: float, delta: float) -> int:
    """The mu squared that a promise has room for, in billionths.

    Raise ValueError where there is no such promise, as where delta is not above what the tables
    behind all draws take of it: (1 + e**epsilon) * DRAWN.
    """
    if not 0.0 < epsilon <= LARGEST:
        raise ValueError(f"epsilon is above 0, and at most {LARGEST:g}")
    left = delta - (1.0 + math.exp(epsilon)) * DRAWN * (1.0 + _SAFE)
    if not (LEAST_DELTA <= delta < 1.0 and left > 0.0):
        raise ValueError("delta is below 1, at least 1e-15, and above 2**-70 * e**epsilon")
    mu = _last(0.0, _MOST_MU, lambda mu: delta_of(mu, epsilon) <= left)
    return math.floor(mu * mu * NANO * (1.0 - _SAFE))


def pure_capacity(epsilon: float) -> int:
    """The same of a promise whose delta is 0: epsilon, in billionths."""
    if not 0.0 < epsilon <= LARGEST:
        raise ValueError(f"epsilon is above 0, and at most {LARGEST:g}")
    return math.floor(epsilon * NANO)


def epsilon_of(cost: Cost, delta: float) -> float:
    """The least epsilon that holds at this delta when so much has been spent; too large by less
    than a millionth, and infinite where it is above LARGEST.
    """
    pure = math.inf if cost.epsilon is None else cost.epsilon / NANO
    return min(pure, _gaussian(cost.gdp, delta)) if delta else pure


def _gaussian(gdp: int, delta: float) -> float:
    mu = math.sqrt(gdp / NANO) * (1.0 + _SAFE)

    def short(epsilon: float) -> bool:
        return delta_of(mu, epsilon) + (1.0 + math.exp(epsilon)) * DRAWN > delta

    if not short(0.0):
        return 0.0
    enough = min(LARGEST, mu * mu / 2.0 + mu * math.sqrt(2.0 * math.log(1.0 / delta)))
    if mu > _MOST_MU or short(enough):
        return math.inf
    return _last(0.0, enough, short) * (1.0 + _SAFE) + _SAFE


def _last(least: float, most: float, holds: Callable[[float], bool]) -> float:
    """The largest number that something holds of, which does so up to there; not above ``most``."""
    for _ in range(_STEPS):
        middle = (least + most) / 2.0
        least, most = (middle, most) if holds(middle) else (least, middle)
    return least


def sigma_of(epsilon: float, delta: float, sensitivity: float = 1.0) -> float:
    """Standard deviation of the normal noise with which one answer keeps a promise; too large by
    less than a millionth.  Raise ValueError as ``capacity``.
    """
    return sensitivity / math.sqrt(capacity(epsilon, delta) / NANO) * (1.0 + _SAFE)

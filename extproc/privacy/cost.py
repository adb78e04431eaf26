"""What a release costs a privacy budget, in whole numbers that add up exactly.

Rule: costs are rounded up and capacities down, so that no sum of roundings spends more than was
promised.  Two units are kept side by side: the square of mu, of Gaussian differential privacy,
which adds whatever is released and however the next is chosen (Dong, Roth and Su, "Gaussian
Differential Privacy", JRSS B 84(1), 2022, corollary 3.3; adaptively, until a budget is full: Smith
and Thakurta, "Fully Adaptive Composition for Gaussian Differential Privacy", 2022), and epsilon,
which adds (Dwork et al., TCC 2006) where each release is pure, that is its delta is 0.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from statistics import NormalDist
from typing import Final

_LAW: Final = NormalDist()
NANO: Final = 10**9
"""Units in 1: costs count billionths."""
LEAST: Final = 1 << 11
"""The least that an answer costs in mu squared: 2e-6.  What is off in the tables that answers are
drawn from is thereby bounded, in all answers that a budget pays for (see budget.py)."""
_UNSURE: Final = 1e-10
"""More than the float error of a quantile, as part of it."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a release, or of many."""

    gdp: int
    """mu squared, in billionths."""
    epsilon: int | None = None
    """In billionths; None where no delta of 0 can be had at any."""

    def __add__(self, other: "Cost") -> "Cost":
        """Of both, the second perhaps chosen after the first was seen."""
        pure = self.epsilon is not None and other.epsilon is not None
        return Cost(
            self.gdp + other.gdp, (self.epsilon or 0) + (other.epsilon or 0) if pure else None
        )

    def times(self, count: int) -> "Cost":
        """Of so many like it."""
        return Cost(self.gdp * count, None if self.epsilon is None else self.epsilon * count)


FREE: Final = Cost(0, 0)
"""Of nothing, and of what was released before."""


def gaussian_cost(sensitivity_squared: Fraction, sigma: Fraction) -> Cost:
    """Of an answer that Gaussian noise of this standard deviation was added to.

    ``sensitivity_squared``: by how much neighbours' answers differ, their Euclidean distance
    squared.  Neither is a float, so nothing is rounded but the result.
    """
    return Cost(max(LEAST, _up(sensitivity_squared / sigma**2)))


def pure_cost(epsilon: Fraction, spread: Fraction | None = None) -> Cost:
    """Of a mechanism whose privacy loss lies within ±epsilon and within an interval ``spread`` long
    (twice epsilon where nothing is known of it).

    Of all mechanisms with losses in an interval, the one that is hardest on privacy has two
    outcomes, at its ends (Dong, Durfee and Rogers, "Optimal Differential Privacy Composition for
    Exponential Mechanisms", ICML 2020, lemma 3.2); the mu at which its only corner lies on the
    trade-off curve of a Gaussian is greatest where the ends are ±spread / 2.
    """
    half = min(epsilon, spread / 2) if spread is not None else epsilon
    mu = Fraction(mu_of_pure(float(half)) * (1.0 + _UNSURE))
    return Cost(max(LEAST, _up(mu**2)), _up(epsilon))


def mu_of_pure(epsilon: float) -> float:
    """The mu of two outcomes with losses ±epsilon, 2 * quantile(e**epsilon / (1 + e**epsilon)).

    By way of the small tail, whose digits are not lost.
    """
    return -2.0 * _LAW.inv_cdf(math.exp(-epsilon) / (1.0 + math.exp(-epsilon)))


def _up(amount: Fraction) -> int:
    return math.ceil(amount * NANO)

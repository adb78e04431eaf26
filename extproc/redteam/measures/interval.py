"""How sure a number is.

Rule: an interval is of 95 %, over seeds, and says over how many; with fewer than `ENOUGH` of them
it is given all the same, and whoever shows it says so.

Sources: Student, 1908, "The probable error of a mean" (means); Clopper and Pearson, 1934, "The use
of confidence or fiducial limits illustrated in the case of the binomial" (shares; exact, never too
narrow).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import exp, inf, log, sqrt
from typing import Final

from scipy import special

LEVEL: Final = 0.95
ENOUGH: Final = 5
"""Seeds that an interval should be over."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A value, the interval around it, and how many measurements it is over."""

    value: float
    low: float
    high: float
    count: int

    @property
    def enough(self) -> bool:
        return self.count >= ENOUGH

    def within(self, low: float, high: float) -> "Interval":
        """Cut to what can be; a share is in 0..1."""
        return Interval(self.value, max(self.low, low), min(self.high, high), self.count)


def of_mean(values: Sequence[float]) -> Interval:
    """Mean and t-interval of independent measurements, one per seed.

    One alone has an interval without ends.  Raise ValueError where there are none.
    """
    if not values:
        raise ValueError("the mean of no measurements")
    count = len(values)
    mean = sum(values) / count
    if count == 1:
        return Interval(mean, -inf, inf, 1)
    spread = sqrt(sum((value - mean) ** 2 for value in values) / (count - 1))
    reach = _student(count - 1) * spread / sqrt(count)
    return Interval(mean, mean - reach, mean + reach, count)


def of_share(hits: int, count: int) -> Interval:
    """Share and Clopper-Pearson interval of ``hits`` in ``count`` independent tries.

    Raise ValueError where there were none.
    """
    if count < 1:
        raise ValueError("a share of no tries")
    tail = (1 - LEVEL) / 2
    low = float(special.betaincinv(hits, count - hits + 1, tail)) if hits else 0.0
    high = float(special.betaincinv(hits + 1, count - hits, 1 - tail)) if hits < count else 1.0
    return Interval(hits / count, low, high, count)


def at_most(hits: int, count: int) -> float:
    """The upper 95 % limit of Clopper and Pearson; the share is above it in one of twenty runs."""
    return float(special.betaincinv(hits + 1, count - hits, LEVEL)) if hits < count else 1.0


def of_ratio(over: Sequence[float], under: Sequence[float]) -> Interval:
    """Geometric mean ratio of pairs of positive numbers: ``over[i]`` and ``under[i]`` of one seed.

    The t-interval is of the logarithms: costs differ by factors, and the same seed asks the same
    questions under every policy, so that what is common to a pair drops out.
    """
    logs = of_mean([log(one / other) for one, other in zip(over, under, strict=True)])
    low = 0.0 if logs.low == -inf else exp(logs.low)
    high = inf if logs.high == inf else exp(logs.high)
    return Interval(exp(logs.value), low, high, logs.count)


@cache
def _student(degrees: int) -> float:
    return float(special.stdtrit(degrees, 1 - (1 - LEVEL) / 2))

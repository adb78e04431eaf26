"""What it takes until a copy agrees with the model so often, and how many times that is.

Rule: what was not seen is not made up.  A copy that was good enough at its first checkpoint took at
most that budget; one that never was took more than its last, which is a bound and no number.  A
multiplier of bounds is a bound.  Between two checkpoints the way is straight on a logarithmic scale
of budgets, as curves of learning nearly are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp, inf, log
from typing import Final

from extproc.redteam.measures.interval import Interval, of_ratio

LEVELS: Final = (0.90, 0.97, 0.99)
"""Of agreement."""


class Bound(StrEnum):
    """What a number says of the one that is meant."""

    EXACT = "="
    AT_MOST = "≤"
    AT_LEAST = "≥"
    OPEN = "?"
    """Nothing: both of what is compared are bounds, of the same side."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How good the best copy was after ``budget`` inputs were asked about."""

    budget: int
    value: float
    """Agreement, 0..1."""
    served: int = 0
    """Inputs that had been answered, which is what is paid for."""
    keys: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Reach:
    """What one seed took; where it never got there, what it had spent by then."""

    bound: Bound
    queries: float
    served: float
    keys: int
    seconds: float

    @property
    def reached(self) -> bool:
        return self.bound is not Bound.AT_LEAST


@dataclass(frozen=True, slots=True)
class Multiplier:
    """How many times as many queries; of a bound, the interval is of the bound."""

    bound: Bound
    times: Interval


def reach(curve: Sequence[Checkpoint], level: float) -> Reach:
    """The first crossing of ``level`` by what the attacker holds, which never gets worse.

    ``curve`` is ascending in budget.  Raise ValueError where it is empty.
    """
    if not curve:
        raise ValueError("a curve without a checkpoint")
    before: Checkpoint | None = None
    for point in curve:
        if point.value >= level:
            return _at(point, Bound.AT_MOST) if before is None else _between(before, point, level)
        if before is None or point.value >= before.value:
            before = point
        else:
            before = Checkpoint(point.budget, before.value, point.served, point.keys, point.seconds)
    return _at(curve[-1], Bound.AT_LEAST)


def multiplier(policy: Sequence[Reach], none: Sequence[Reach]) -> Multiplier:
    """Queries under a policy over those under none, seed by seed.

    One seed that never got there makes it "at least": its budget stands for what it would have
    taken, so that the mean is too low, its lower end holds all the same, and the upper is open.
    """
    times = of_ratio([each.queries for each in policy], [each.queries for each in none])
    bound = _joined({each.bound for each in policy} | {_turned(each.bound) for each in none})
    low = times.low if bound in {Bound.EXACT, Bound.AT_LEAST} else 0.0
    high = times.high if bound in {Bound.EXACT, Bound.AT_MOST} else inf
    return Multiplier(bound, Interval(times.value, low, high, times.count))


def _joined(sides: set[Bound]) -> Bound:
    sides = sides - {Bound.EXACT}
    if not sides:
        return Bound.EXACT
    return sides.pop() if len(sides) == 1 else Bound.OPEN


def _turned(bound: Bound) -> Bound:
    """A bound of what divides bounds the quotient from the other side."""
    turned = {Bound.AT_MOST: Bound.AT_LEAST, Bound.AT_LEAST: Bound.AT_MOST}
    return turned.get(bound, bound)


def _at(point: Checkpoint, bound: Bound) -> Reach:
    return Reach(bound, point.budget, point.served, point.keys, point.seconds)


def _between(before: Checkpoint, after: Checkpoint, level: float) -> Reach:
    part = (level - before.value) / (after.value - before.value)
    return Reach(
        Bound.EXACT,
        exp((1 - part) * log(before.budget) + part * log(after.budget)),
        (1 - part) * before.served + part * after.served,
        after.keys,
        (1 - part) * before.seconds + part * after.seconds,
    )

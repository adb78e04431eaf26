"""What was measured: medians with their spread, ratios and goals.  Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


class BenchmarkError(Exception):
    """A request failed, or a process that is measured did."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The rounds of one measurement: their median, the least and the most."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, rounds: Sequence[float]) -> "Spread":
        return cls(median(rounds), min(rounds), max(rounds))


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the result."""

    what: str
    unit: str
    ours: Spread
    without: Spread | None = None
    goal: float | None = None
    """At most this, for the median."""

    @property
    def ratio(self) -> float | None:
        """Ours to without."""
        if self.without is None or not self.without.median:
            return None
        return self.ours.median / self.without.median

    @property
    def met(self) -> bool | None:
        return None if self.goal is None else self.ours.median <= self.goal


@dataclass(frozen=True, slots=True)
class Table:
    """Figures that are read together."""

    title: str
    without: str
    """What its column ``without`` is."""
    figures: tuple[Figure, ...]


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: the least value that this share of all is not above."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]

"""Numbers as they are read.

Rule: no more digits than the interval bears out, and never an interval without saying when it is
over too few seeds.
"""

from math import floor, inf, isinf, log10

from extproc.redteam.measures.interval import Interval
from extproc.redteam.measures.reach import Bound, Multiplier

_TIED = "\N{NO-BREAK SPACE}"


def number(value: float) -> str:
    """Three significant digits, and thousands apart; what is whole stays whole."""
    if isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == round(value) and abs(value) < 1e15:
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) < 1e-4:
        return f"{value:.1e}"
    digits = 2 - floor(log10(abs(value)))
    return f"{value:.{min(max(digits, 0), 4)}f}"


def share(value: float) -> str:
    """Of one, in three decimals."""
    return f"{value:.3f}"


def spread(interval: Interval, unit: str = "") -> str:
    """A value and its interval, as in ``0.958 ± 0.012`` or ``9.8 ± 1.2 ms``."""
    unit = f" {unit}" if unit else ""
    if interval.count == 1:
        return f"{number(interval.value)}{unit} ({_seeds(1)})"
    half = (interval.high - interval.low) / 2
    few = "" if interval.enough else f" ({_seeds(interval.count)})"
    return f"{number(interval.value)} ± {_uncertainty(half)}{unit}{few}"


def times(multiplier: Multiplier) -> str:
    """As in ``4.2× (3.1 to 5.6)`` or ``≥ 12×``."""
    few = "" if multiplier.times.enough else f" ({_seeds(multiplier.times.count)})"
    match multiplier.bound:
        case Bound.EXACT if multiplier.times.count == 1:
            return f"{_factor(multiplier.times.value)}×{few}"
        case Bound.EXACT:
            ends = f"{_factor(multiplier.times.low)} to {_factor(multiplier.times.high)}"
            return f"{_factor(multiplier.times.value)}× ({ends}){few}"
        case Bound.OPEN:
            return "not comparable"
        case Bound.AT_LEAST | Bound.AT_MOST:
            return f"{multiplier.bound} {_factor(multiplier.times.value)}×{few}"


def queries(bound: Bound, value: float) -> str:
    """As in ``310`` or ``> 10,000``: what was never reached took more than what was tried."""
    sign = {Bound.EXACT: "", Bound.AT_MOST: "≤ ", Bound.AT_LEAST: "> ", Bound.OPEN: "? "}[bound]
    return f"{sign}{_two(value):,.0f}" if value < 1e15 else f"{sign}{value:.1e}"


def duration(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:,.0f} ms"
    return f"{seconds:,.1f} s" if seconds < 100 else f"{seconds / 60:,.1f} min"


def price(value: float) -> str:
    """Of money: two decimals, and below a tenth two digits, since single queries cost little."""
    return f"{value:,.2f}" if value >= 0.1 or not value else f"{value:.2g}"


def _seeds(count: int) -> str:
    """On one line, wherever the text is broken."""
    return f"one{_TIED}seed" if count == 1 else f"{count}{_TIED}seeds"


def _factor(value: float) -> str:
    if value == inf:
        return "∞"
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _uncertainty(half: float) -> str:
    """Two significant digits: nobody reads more of it."""
    if 0 < half < 0.0005:
        return "<0.001"
    if half == 0 or isinf(half):
        return number(half)
    digits = 1 - floor(log10(half))
    return f"{round(half, digits):,.{max(digits, 0)}f}"


def _two(value: float) -> float:
    """A number of queries that lies between two checkpoints is not known to the last digit."""
    return round(value, 1 - floor(log10(value))) if value != round(value) else value

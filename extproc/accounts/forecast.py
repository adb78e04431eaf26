"""When a budget will be used up, at the pace so far.

Rule: a straight line through what was spent since the budget began to count it, and no further
than to where that no longer counts: the end of a period, or a window after it was spent.  What has
no beginning (a lifetime), and what comes back within seconds (a rate, what is under way), has none.
"""

from typing import Any, Final, Literal

from msgspec import Struct

from extproc.limits import Calendar, Rule, Sliding, Standing

State = Literal["none", "lasts", "ends", "exhausted"]


class Outlook(Struct, frozen=True):
    state: State
    """``lasts``: at this pace it is not used up before some of it comes back."""
    after: int = 0
    """Microseconds, where it ends."""


NONE: Final = Outlook("none")
LASTS: Final = Outlook("lasts")
EXHAUSTED: Final = Outlook("exhausted")


def outlook(rule: Rule[Any], standing: Standing, now: int) -> Outlook:
    """Of one counter; ``now`` in microseconds since 1970."""
    match rule:
        case Calendar():
            if rule.periods.period == "lifetime":
                return EXHAUSTED if standing.left <= 0 else NONE
            start, end, _ = rule.periods.ends(now)
            return forecast(standing.spent, standing.left, now - start, end - start)
        case Sliding():
            elapsed = min(standing.age, rule.window) or rule.window
            return forecast(standing.spent, standing.left, elapsed, rule.window)
        case _:
            return NONE


def forecast(spent: int, left: int, elapsed: int, length: int) -> Outlook:
    """So much was spent in the time that has passed of a period of this length."""
    if left <= 0:
        return EXHAUSTED
    if spent <= 0 or elapsed <= 0:
        return LASTS
    after = -(-left * elapsed // spent)
    return Outlook("ends", after) if after <= length - elapsed else LASTS

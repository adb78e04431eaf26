"""What the measures are to come to, and what of it they do not.

Rule: a goal that is not met is named with its number; none is left out for it.
"""

from collections.abc import Iterator
from typing import Final

from extproc.calibration.interval import RATE, highest
from tests.detection.curves import flagged
from tests.detection.populations import FOUR
from tests.detection.trial import Found

GOALS: Final = {
    "knockoff, other domain": (0.99, 50),
    "word salad": (0.99, 50),
    "Jacobian probing": (0.99, 50),
    "knockoff, half mixed": (0.70, 200),
    "in-distribution, uniform": (0.70, 200),
}
"""The share of attackers that is flagged after so many queries, at least, in the class of users."""


def unmet(found: Found) -> list[str]:
    return [*_attackers(found), *_benign(found)]


def _attackers(found: Found) -> Iterator[str]:
    for attack, (least, after) in GOALS.items():
        share = flagged(found.firsts[attack, "user"], [after])[0]
        if share < least:
            yield f"{attack}: {share:.1%} flagged after {after} queries, not {least:.0%}"


def _benign(found: Found) -> Iterator[str]:
    own = [found.alarms[kind, traffic] for kind, (_, traffic) in FOUR.items()]
    alarms, clients = (sum(each) for each in zip(*own, strict=True))
    limit = highest(alarms, clients)
    if limit > RATE:
        yield f"benign: {alarms} of {clients} suspected, at most {limit:.2%}, not {RATE:.1%}"

"""How many marks it takes: known before anybody is asked.

Rule: "no evidence" is said only where a copy that repeats half of its marks would have been found
four times of five; where it would not, there are not enough marks to say.
"""

from functools import cache
from typing import Final

from extproc.marks.stamps import CONTROLS
from extproc.marks.statistics import binomial, two_sample

REPEATED: Final = 0.5
"""The share of its marks that such a copy repeats."""
CHANCE: Final = 0.1
"""The share of controls of which it says the next class anyway."""
ENOUGH_TEXTS: Final = 500
"""Texts by which copies of embeddings were found that were trained on them: see docs/ownership.md.
How many it takes hangs on the copy, so that of a suspect it is told anew: traces.Looked.enough."""
_MISSED: Final = 0.1
"""How often each of both is worse than what is reckoned with: four times of five neither is."""
_MOST: Final = 1 << 12


@cache
def enough(marks: int, controls: int, level: float) -> bool:
    """Whether so many find such a copy, at a level in bits, as often as the rule says."""
    if not marks:
        return False
    repeated = _least(marks, REPEATED)
    by_chance = controls - _least(controls, 1.0 - CHANCE)
    return two_sample((repeated, marks), (by_chance, controls)).at_least <= level


@cache
def needed(level: float) -> int:
    """The least number of marks that is enough, with as many controls to each as there usually are;
    `_MOST` where that is not.
    """
    low, high = 1, _MOST
    while low < high:
        marks = (low + high) // 2
        if enough(marks, CONTROLS * marks, level):
            high = marks
        else:
            low = marks + 1
    return low


def _least(trials: int, rate: float) -> int:
    """So many of them agree, but once in ten."""
    low, high = 0, trials
    while low < high:
        count = (low + high + 1) // 2
        if binomial(count, trials, rate).p >= 1.0 - _MISSED:
            low = count
        else:
            high = count - 1
    return low

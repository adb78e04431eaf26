"""How novel benign queries of one caller may be together, before it speaks against him.

Rule: the strictest floor by which benign lives stay low.  Callers have topics, and some topics lie
further from the reference than others: by the strict law, who has such a topic looks like a thief
in the end.  A floor that is lower than it need be lets thieves ask longer.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.calibration.interval import needed
from extproc.calibration.thresholds import top
from extproc.detectors.novelty import Novelty

FLOORS: Final = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.5)
"""The strictest first."""
Profiles = npt.NDArray[np.float32]
"""Shape (exchanges, counters of novelty)."""


def strictest(lives: Sequence[Profiles]) -> float:
    """The floor, given what novelty has counted after each exchange of benign lives."""

    def stays_low(floor: float) -> bool:
        evidence = Novelty(floor).evidence
        peaks = np.array([max(map(evidence, life)) for life in lives], np.float64)
        # By Ville's inequality one of so many reaches that, where no topic is harder than others.
        return top(peaks) <= math.log(min(len(peaks), needed()))

    # The lower the floor, the less any life comes to.
    place = bisect_left(FLOORS, 1, hi=len(FLOORS) - 1, key=lambda floor: int(stays_low(floor)))
    return FLOORS[place]

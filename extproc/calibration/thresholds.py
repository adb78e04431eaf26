"""Where the alarm of a traffic class is set, and what may be claimed of it.

Rule: what counts of a client is the most evidence it came to at any query of its life, since that
is what an alarm that is looked at after every query sees.  Every detector is given a discount, so
that benign lives come to as much by one as by another; then a threshold is what they do not reach,
and a margin: where evidence is an e-process, every nat divides the chance of reaching it by e
(Ville's inequality; Ramdas, Grünwald, Vovk and Shafer, "Game-theoretic statistics and safe
anytime-valid inference", Statistical Science, 2023).
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.calibration.interval import RATE, allowed, highest, lowest, needed
from extproc.detectors.calibration import Threshold

MARGIN: Final = math.log(20.0)
"""Nats: a twentieth as many false alarms as the clients that the threshold was made of would have.
Others, later, ask somewhat otherwise than they did."""
UNTRIED: Final = math.log(needed())
"""What benign lives come to, at most, by a detector the traffic says nothing to: by Ville's
inequality one in so many reaches it."""
FAINT: Final = {"isolation": -math.log(8.0)}
"""Nats of weight.  What is bounded cannot reach a threshold, and thieves come to no more by it than
some benign lives do: with the weight of the others it raises the threshold, and finds nobody."""

Peaks = npt.NDArray[np.float64]
"""The most evidence in the life of each client, in nats; shape (clients,)."""
Course = npt.NDArray[np.float32]
"""The evidence of each detector after each exchange; shape (exchanges, detectors)."""


def top(peaks: Peaks) -> float:
    """What benign lives come to: as many are above it as leave the upper limit at 0.1 %."""
    return float(np.sort(peaks)[::-1][max(0, allowed(len(peaks)))])


def discounts(names: Sequence[str], courses: Sequence[Course]) -> dict[str, float]:
    """Of each detector, such that 0 is what benign lives come to by it alone, at its weight."""
    peaks = np.array([course.max(axis=0) for course in courses], np.float64)
    tops = [top(each) for each in peaks.T]
    # The average divides by how many there are, which would be a discount for all of them.
    many = math.log(len(names))
    return {
        name: (max(0.0, found) if found > -math.inf else UNTRIED) - many - FAINT.get(name, 0.0)
        for name, found in zip(names, tops, strict=True)
    }


def combined(names: Sequence[str], course: Course, less: dict[str, float]) -> Peaks:
    """``evidence.combined`` of each exchange of a course; shape (exchanges,)."""
    taken = course.astype(np.float64) - np.array([less[name] for name in names])
    found: Peaks = np.logaddexp.reduce(taken, axis=1) - math.log(len(names))
    return found


def threshold(
    names: Sequence[str], set_by: Sequence[Course], others: Sequence[Course]
) -> Threshold:
    """The threshold that the first lives bear out, and how many of the others reach it.

    Where the first are too few to bear one out, what lacks is made up for by nats.
    """
    less = discounts(names, set_by)
    peaks = _peaks(names, set_by, less)
    short = max(0.0, math.log(needed() / len(peaks)))
    nats = max(0.0, top(peaks)) + short + MARGIN
    alarms = int(np.count_nonzero(_peaks(names, others, less) >= nats))
    return Threshold(
        nats=nats,
        discounts=less,
        set_by=len(set_by),
        clients=len(others),
        alarms=alarms,
        lowest=lowest(alarms, len(others)),
        highest=highest(alarms, len(others)),
    )


def claim(threshold: Threshold) -> str:
    """One sentence: what may be said of false alarms, and no more."""
    bound = f"at most {threshold.highest:.3%} of benign clients are ever suspected (95 %)"
    if threshold.highest <= RATE:
        return bound
    wanted = f"{RATE:.1%} is not claimed"
    if threshold.alarms > 0:
        return f"{bound}: {wanted}, {threshold.alarms} of {threshold.clients} were"
    return f"{bound}: {wanted}, which needs {needed():,} clients without an alarm"


def _peaks(names: Sequence[str], courses: Sequence[Course], less: dict[str, float]) -> Peaks:
    return np.array([combined(names, course, less).max() for course in courses], np.float64)

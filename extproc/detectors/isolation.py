"""Isolation: a caller whose whole session is told from all others' by few questions.

What the other detectors have counted is looked at together: an isolation forest, grown offline from
sessions of benign callers, scores it, so that whoever is odd in a way no detector was made for
shows.  What a score is worth tells its rank among the highest scores that other benign callers came
to in their lives (forest.py).

So it holds whenever one looks: the highest e-value of a benign life, of however many looks, has an
expectation of 1 at most.  It is no e-process, which would hold of longer lives than those that the
ranks are of; as any detector it has a discount by ``extproc calibrate``, found of lives as they are
looked at.  It is bounded: of n ranks it says less than ln(n) nats, and by itself it makes nobody a
suspect.  Its weight is small (calibration/thresholds.py): it tells an analyst where to look.

Source: Liu, Ting and Zhou, "Isolation forest", ICDM 2008.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.detectors import volume
from extproc.detectors.detector import Counters
from extproc.detectors.forest import Forest, Scores
from extproc.detectors.session import Summary

FEWEST: Final = 16.0
"""Different queries below which every session is odd."""


class Isolation:
    """An Onlooker."""

    name = "isolation"

    def __init__(self, forest: Forest, parts: Mapping[str, slice]) -> None:
        """``parts``: where each detector's counters are in a profile."""
        self._forest, self._summary, self._parts = forest, Summary(parts), dict(parts)

    def evidence(self, counters: Counters) -> Scores:
        enough = told(counters, self._parts)
        if not enough.any():
            return np.full(enough.shape, -np.inf)
        return np.where(enough, self._forest.evidence(self._summary.sessions(counters)), -np.inf)


def told(counters: Counters, parts: Mapping[str, slice]) -> npt.NDArray[np.bool_]:
    """Whether there is enough of a session to be judged; shape (...) of (..., counters)."""
    days = parts["volume"].start
    return np.asarray(counters[..., days : days + volume.DAYS].sum(axis=-1) >= FEWEST)

"""Answers that lie where a copy learns most: every class alike, near ties, norms of all sizes.

Label-only attacks walk along the boundary between two classes, where the two most likely are nearly
equally so; who labels a training set asks for every class alike; vectors of many lengths come of
inputs nobody writes.  Labels, margins and norms each speak by a ratio of Dirichlet-multinomial
likelihoods: of callers of that kind against those of the tenant's class.

Sources: Chen, Jordan and Wainwright, "HopSkipJumpAttack", IEEE S&P 2020; Juuti, Szyller, Marchal
and Asokan, "PRADA", EuroS&P 2019; Sadeghzadeh, Dehghan, Sobhanian and Jalili, "HODA: Hardness-
oriented detection of model extraction attacks", 2021 (the histogram of how hard queries are).
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from extproc.detectors.detector import Counters
from extproc.detectors.features import LABELS, MARGINS, NORMS, Features
from extproc.detectors.likelihood import Shares, average

USUAL_LABELS: Final = (0.5,) * LABELS
"""Callers ask for some classes far more often than for others."""
USUAL_MARGINS: Final = (0.1, 0.1, 0.2, 0.3, 0.6, 1.1, 1.8, 5.8)
"""Most answers are sure; octaves of the margin, from ties on."""
USUAL_NORMS: Final = (0.05,) * NORMS
"""The vectors of a model are of one length, or nearly."""

_FLAT: Final = (16.0,) * LABELS
_TIES: Final = (
    (3.0, 2.0, 1.0, 0.7, 0.5, 0.4, 0.2, 0.2),  # a walk along the boundary
    (1.5, 1.2, 1.0, 0.8, 0.8, 0.8, 0.9, 1.0),  # the same, and where it starts
)
_SPREAD: Final = (1.0,) * NORMS
_FEWEST: Final = 8.0
"""Answers below which a histogram says nothing."""
_MOST: Final = 5.0
"""Nats that labels, or norms, speak for at most: an evaluation asks for every class alike too."""


class Boundary:
    """Counters: labels, then margins, then norms."""

    name = "boundary"
    size = LABELS + MARGINS + NORMS

    def __init__(
        self,
        labels: Sequence[float] = USUAL_LABELS,
        margins: Sequence[float] = USUAL_MARGINS,
        norms: Sequence[float] = USUAL_NORMS,
    ) -> None:
        """Parameters of the Dirichlet distributions from which those of ordinary callers come."""
        self._labels = Shares(_FLAT, labels)
        self._margins = [Shares(ties, margins) for ties in _TIES]
        self._norms = Shares(_SPREAD, norms)

    def count(self, counters: Counters, features: Features, weight: float) -> None:
        for places, start in (
            (features.labels, 0),
            (features.margins, LABELS),
            (features.norms, LABELS + MARGINS),
        ):
            if len(places):
                np.add.at(counters[start:], places, np.float32(weight))

    def evidence(self, counters: Counters) -> float:
        counts = counters.tolist()
        labels, rest = counts[:LABELS], counts[LABELS:]
        margins, norms = rest[:MARGINS], rest[MARGINS:]
        spoken = []
        if sum(labels) >= _FEWEST:
            spoken.append(min(_MOST, self._labels.ratio(labels)))
        if sum(margins) >= _FEWEST:
            spoken.append(average([ties.ratio(margins) for ties in self._margins]))
        if sum(norms) >= _FEWEST:
            spoken.append(min(_MOST, self._norms.ratio(norms)))
        return average(spoken) if spoken else -math.inf

"""Answers that lie where a copy learns most: every class alike, near ties, norms of all sizes.

Label-only attacks walk along the boundary between two classes, where the two most likely are nearly
equally so; who labels a training set asks for every class alike; vectors of many lengths come of
inputs nobody writes.  Labels, margins and norms each speak by a ratio of Dirichlet-multinomial
likelihoods: of callers of that kind against those of the tenant's class.

Sources: Chen, Jordan and Wainwright, "HopSkipJumpAttack", IEEE S&P 2020; Juuti, Szyller, Marchal
and Asokan, "PRADA", EuroS&P 2019; Sadeghzadeh, Dehghan, Sobhanian and Jalili, "HODA: Hardness-
oriented detection of model extraction attacks", 2021 (the histogram of how hard queries are).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from extproc.detectors.detector import Counters, Tally
from extproc.detectors.features import LABELS, MARGINS, NORMS, Features
from extproc.detectors.likelihood import Dirichlet, Nats, Ratios, places

USUAL_LABELS: Final = (0.5,) * LABELS
"""Callers ask for some classes far more often than for others."""
USUAL_MARGINS: Final = (0.1, 0.1, 0.2, 0.3, 0.6, 1.1, 1.8, 5.8)
"""Most answers are sure; octaves of the margin, from ties on."""
USUAL_NORMS: Final = (0.05,) * NORMS
"""The vectors of a model are of one length, or nearly."""

_NORMS: Final = LABELS + MARGINS
"""Where they begin."""
_FLAT: Final = (16.0,) * LABELS
_TIES: Final = (
    (3.0, 2.0, 1.0, 0.7, 0.5, 0.4, 0.2, 0.2),  # a walk along the boundary
    (1.5, 1.2, 1.0, 0.8, 0.8, 0.8, 0.9, 1.0),  # the same, and where it starts
)
_SPREAD: Final = (1.0,) * NORMS
_FEWEST: Final = 8.0
"""Answers below which a histogram says nothing."""
_KINDS: Final = np.array([0, *[1] * len(_TIES), 2])
"""What each ratio is of: labels, margins or norms."""
_OF_KIND: Final = np.log(np.bincount(_KINDS)[_KINDS])
_MOST: Final = np.where(_KINDS == 1, np.inf, 5.0)
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
        self._ratios = Ratios(
            self.size,
            [
                Dirichlet(places(0, LABELS), _FLAT, labels),
                *(Dirichlet(places(LABELS, _NORMS), ties, margins) for ties in _TIES),
                Dirichlet(places(_NORMS, self.size), _SPREAD, norms),
            ],
        )

    def count(self, counters: Tally, features: Features, weight: float) -> None:
        for label in features.labels.tolist():
            counters[label] += weight
        for margin in features.margins.tolist():
            counters[LABELS + margin] += weight
        for norm in features.norms.tolist():
            counters[_NORMS + norm] += weight

    def evidence(self, counters: Counters) -> Nats:
        """The average of those of labels, margins and norms that there are enough of."""
        enough = np.add.reduceat(counters, (0, LABELS, _NORMS), axis=-1) >= _FEWEST
        each = np.where(enough[..., _KINDS], np.minimum(self._ratios.of(counters), _MOST), -np.inf)
        found: Nats = np.logaddexp.reduce(each - _OF_KIND, axis=-1)
        found -= np.log(np.maximum(enough.sum(axis=-1), 1))
        return found

"""Queries that hardly differ from each other: perturbations, augmented seeds, walks to a boundary.

Each query adds one to a counter of each of its four bands (corners.py), so that those nearly alike
meet there.
The evidence is how much better a caller of a few seeds explains the counters than one whose queries
are as different as ``benign`` says: a ratio of Dirichlet-multinomial likelihoods.  Hundreds of
queries on one topic meet as often as edits of twenty seeds; but what people ask on one topic is as
usual as anything they ask, and edits are odd: letters and words that do not belong.  So where the
reference knows such queries, the ratio is multiplied by the wealth of a bet that they surprise more
than its own (novelty.py), which is an e-value too and is paid for something else.  Exact repeats
never get here (profile.py).

Sources: Indyk and Motwani, "Approximate nearest neighbors", STOC 1998 (bands); Juuti, Szyller,
Marchal and Asokan, "PRADA: Protecting against DNN model stealing attacks", EuroS&P 2019 (queries
unnaturally close to each other); Zhang, Chen and Wagner, "SEAT: Similarity encoder by adversarial
training for detecting model extraction attack queries", AISec 2021.
"""

import math
from typing import Final

import numpy as np

from extproc.detectors.detector import Counters
from extproc.detectors.features import Features
from extproc.detectors.likelihood import Evenness, average

BANDS: Final = 4
CELLS: Final = 64
_FEWEST: Final = 8.0
"""Queries below which chance meetings would say too much."""
_SEEDS: Final = (16.0, 48.0)
"""Concentrations of callers of few seeds."""
_STARTS: Final = np.arange(0, BANDS * CELLS, CELLS, dtype=np.intp)
_MIXING: Final = np.uint32(0x9E3779B1)
"""The golden ratio: Knuth's multiplicative hashing of a band's 16 bits into six."""


_BETS: Final = (0.4, 0.6)
"""Exponents of the law of p-values of odd queries: see novelty.py."""
_KNOWN: Final = BANDS * CELLS
_SURPRISE: Final = _KNOWN + 1


class NearDuplicate:
    """Counters: band after band, its cells; then how many queries the reference knows the like of,
    and the sum of their surprises.
    """

    name = "near_duplicate"
    size = BANDS * CELLS + 2

    def __init__(self, benign: float = 256.0) -> None:
        """``benign``: how evenly the queries of ordinary callers lie in the cells of a band, as the
        concentration of a Dirichlet distribution.
        """
        self._evenness = Evenness(CELLS, _SEEDS, benign)

    def count(self, counters: Counters, features: Features, weight: float) -> None:
        if not features.sampled:
            return
        bands = features.simhashes.astype("<u8").view("<u2").reshape(-1, BANDS)
        cells = (bands.astype(np.uint32) * _MIXING >> np.uint32(26)).astype(np.intp) + _STARTS
        counters += np.float32(weight) * np.bincount(cells.ravel(), minlength=self.size)
        known = features.cells >= 0
        counters[_KNOWN] += weight * float(known.sum())
        counters[_SURPRISE] += weight * float(features.surprises[known].sum())

    def evidence(self, counters: Counters) -> float:
        if counters[:CELLS].sum() < _FEWEST:
            return -math.inf
        alike = average(self._evenness.ratios(counters[:_KNOWN]))
        odd = _odd(float(counters[_KNOWN]), float(counters[_SURPRISE]))
        return alike + min(odd, max(alike, 0.0))


def _odd(number: float, surprise: float) -> float:
    """That so many queries, of which this is the sum of surprises, are odd ones; 0 of none."""
    return average([number * math.log(bet) + (1.0 - bet) * surprise for bet in _BETS])

"""Queries that hardly differ from each other: perturbations, augmented seeds, walks to a boundary.

Each query adds one to a counter of each of its four bands (shingles.py of texts, corners.py of
numbers), so that those nearly alike meet there.
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

from extproc.detectors.detector import Counters, Tally
from extproc.detectors.features import Features
from extproc.detectors.likelihood import Evenness, Nats, average
from extproc.detectors.novelty import surprises

BANDS: Final = 4
CELLS: Final = 104
"""Of a band: as many as a profile has room for, since others meet by chance the less."""
_FEWEST: Final = 8.0
"""Queries below which chance meetings would say too much."""
_OF_TEXTS: Final = ((16.0, 48.0, 96.0), 512.0)
_OF_NUMBERS: Final = ((16.0, 48.0), 256.0)
"""Concentrations of callers of few seeds, and of ordinary ones.  Numbers fall into fewer different
bands than texts, whoever asks: what is few of texts is usual of them."""
_MOST: Final = 700.0
"""Nats that queries alike come to: thousands on one topic would outweigh how usual they are."""
_PLACES: Final = tuple((number * CELLS, number * 16) for number in range(BANDS))
"""Of each the first counter, and where in a simhash it begins."""
_BAND: Final = 0xFFFF
_MIXING: Final = 0x9E3779B1
"""The golden ratio: Knuth's multiplicative hashing of a band's 16 bits into as many, in 32
bits, of which the product with the cells is the upper half."""
_HALF: Final = 16


_ODD: Final = (0.3, 0.5)
"""Exponents of the law of p-values of odd queries: see novelty.py."""
_BETS: Final = np.array([[math.log(bet) for bet in _ODD], [1.0 - bet for bet in _ODD]])
"""What each of them pays for a query, and for a nat of surprise."""
_KNOWN: Final = BANDS * CELLS
_SURPRISE: Final = _KNOWN + 1


class NearDuplicate:
    """Counters: band after band, its cells; then how many queries the reference knows the like of,
    and the sum of their surprises.
    """

    name = "near_duplicate"
    size = BANDS * CELLS + 2

    def __init__(self, *, numbers: bool = False) -> None:
        """``numbers``: whether anybody asks in other than texts.

        How evenly queries lie in the cells of a band is the concentration of a Dirichlet
        distribution.
        """
        self._evenness = Evenness(CELLS, *(_OF_NUMBERS if numbers else _OF_TEXTS))

    def count(self, counters: Tally, features: Features, weight: float) -> None:
        for simhash in features.simhashes.tolist():
            for start, low in _PLACES:
                mixed = (simhash >> low & _BAND) * _MIXING >> _HALF & _BAND
                counters[start + (mixed * CELLS >> _HALF)] += weight
        known, surprise = surprises(features)
        counters[_KNOWN] += weight * known
        counters[_SURPRISE] += weight * surprise

    def evidence(self, counters: Counters) -> Nats:
        alike = average(np.minimum(self._evenness.ratios(counters[..., :_KNOWN]), _MOST))
        # That the queries of which there is a sum of surprises are odd ones; 0 of none.
        odd = average(counters[..., _KNOWN:].astype(np.float64) @ _BETS)
        enough = counters[..., :CELLS].sum(axis=-1) >= _FEWEST
        return np.where(enough, alike + np.minimum(odd, np.maximum(alike, 0.0)), -np.inf)

"""How much a caller asks, against what it has asked before at such times.

Each day of the last four weeks, and each four hours of the last one, has a counter; the same are
used again later, when what they held has decayed.  For each of them the ratio is that of a caller
who asks several times as much as its other counters foretell to one who varies as callers do: both
negative binomial, as a Poisson rate that is itself drawn from a Gamma distribution.  Days are
compared with the same day of other weeks as well as with all others, four hours with the same hours
of other days.  Who has no history is told nothing about.

Sources: Gelman et al., "Bayesian data analysis", 3rd edition, 2013, section 2.6 (the Gamma-Poisson
predictive); Kesarwani, Mukhoty, Arya and Mehta, "Model extraction warning in MLaaS paradigm", ACSAC
2018 (warnings by how much each user has asked).
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.detectors.detector import Counters, Tally
from extproc.detectors.features import Features
from extproc.detectors.likelihood import Nats

DAYS: Final = 28
BLOCKS: Final = 42
"""Of four hours each: a week."""
_DAY: Final = 86_400
_BLOCK: Final = 14_400
_BLOCKS_A_DAY: Final = 6
_WEEK: Final = 7
_ADDED: Final = 8.0
"""Queries that everybody is taken to have asked at such times."""
_KNOWN: Final = 7.0
"""Earlier days with queries from which on half of a caller's habits are known."""
_SEVERAL: Final = 8.0
"""Times as much as usual."""
_LEAST_DAYS: Final = 5
_MOST_OF_BLOCKS: Final = 4.0
"""Nats: a busy day of the week is not foretold by the hours of others."""

Floats = npt.NDArray[np.float64]


class Volume:
    """Counters: queries by day, modulo four weeks, then by four hours, modulo a week."""

    name = "volume"
    size = DAYS + BLOCKS

    def __init__(
        self, half_life: float = 604_800.0, regularity: float = 0.5, most: float = 12.0
    ) -> None:
        """``half_life`` of counters, in seconds; ``regularity``: the shape of the Gamma
        distribution by which an ordinary caller's days differ; ``most``: nats at most.
        """
        self._regularity = regularity
        self._weights = np.zeros((self.size, self.size))
        self._weights[:DAYS, :DAYS] = _weights(DAYS, _WEEK, _DAY / half_life)
        self._weights[DAYS:, DAYS:] = _weights(BLOCKS, _BLOCKS_A_DAY, _BLOCK / half_life)
        self._most = np.array([most] * DAYS + [_MOST_OF_BLOCKS] * BLOCKS)

    def count(self, counters: Tally, features: Features, weight: float) -> None:
        asked = weight * max(features.queries, features.sampled)
        counters[int(features.time // _DAY) % DAYS] += asked
        counters[DAYS + int(features.time // _BLOCK) % BLOCKS] += asked

    def evidence(self, counters: Counters) -> Nats:
        earlier = np.count_nonzero(counters[..., :DAYS], axis=-1, keepdims=True) - 1
        known = earlier >= _LEAST_DAYS
        if not known.any():
            return np.full(counters.shape[:-1], -np.inf)
        asked = counters.astype(np.float64)
        shape = self._regularity * np.maximum(earlier, 1) / (earlier + _KNOWN)
        found = _surprise(asked, asked @ self._weights.T + _ADDED, shape)
        each = np.exp(np.minimum(found, self._most)).mean(axis=-1)
        return np.where(known[..., 0], np.log(each), -np.inf)


def _weights(size: int, season: int, decay: float) -> Floats:
    """Shape (size, size): how much each counter counts in what is foretold of one.

    ``decay``: how many half-lives a counter is.  Of the same season counters count as much as all
    others together.
    """
    ages = (np.arange(size)[:, None] - np.arange(size)[None, :]) % size
    foretold = np.where(ages > 0, 1.0, 0.0)
    seasonal = np.where((ages > 0) & (ages % season == 0), 1.0, 0.0)
    held = np.exp2(-decay * ages)  # of a counter that has held the same all along
    foretold /= (foretold * held).sum(axis=1, keepdims=True)
    seasonal /= (seasonal * held).sum(axis=1, keepdims=True)
    weights: Floats = 0.5 * (foretold + seasonal)
    return weights


def _surprise(counts: Floats, usual: Floats, shape: Floats) -> Floats:
    """Of each counter the ratio of two negative binomial distributions; shape (..., size)."""
    falling = np.log((shape + usual) / (shape + _SEVERAL * usual))
    found: Floats = (shape + counts) * falling + counts * math.log(_SEVERAL)
    return found

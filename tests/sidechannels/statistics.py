"""How well two samples can be told apart: three questions, of which each finds what others miss.

- Kolmogorov and Smirnov: the largest distance between the two distributions, which finds any
  difference of shape, given enough samples; used against prompt caches by Gu et al. (2025).
- AUC of means of 50: how often the mean of 50 samples of the second lies above that of the first,
  which is what an attacker does who asks again and again.
- Mutual information: bits that one sample tells, less the bias of counting (Miller 1955).
"""

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]

ASKED: Final = 50
"""Samples in one mean."""
_MEANS: Final = 4000
_RESAMPLED: Final = 100
_BINS: Final = 16


@dataclass(frozen=True, slots=True)
class Told:
    """What one channel tells about one pair."""

    distance: float
    """Of Kolmogorov and Smirnov, 0 to 1."""
    chance: float
    """Of a distance as large where there is no difference."""
    auc: float
    between: tuple[float, float]
    """Where the AUC lies in 95 of 100 samples like these (bootstrap, Efron 1979)."""
    bits: float
    apart: float
    """The mean of the second above that of the first."""


def told(one: Samples, other: Samples) -> Told:
    distance = _distance(one, other)
    return Told(
        distance,
        _chance(distance, len(one), len(other)),
        _auc(one, other, np.random.default_rng(1)),
        _between(one, other),
        bits(one, other),
        float(other.mean() - one.mean()),
    )


def _distance(one: Samples, other: Samples) -> float:
    at = np.sort(np.concatenate([one, other]))
    below = [np.searchsorted(np.sort(side), at, "right") / len(side) for side in (one, other)]
    return float(np.abs(below[0] - below[1]).max())


def _chance(distance: float, one: int, other: int) -> float:
    """By the limit distribution (Smirnov 1948)."""
    scaled = distance * sqrt(one * other / (one + other))
    if scaled < 0.2:
        return 1.0
    terms = (2 * (-1) ** (k - 1) * exp(-2 * (k * scaled) ** 2) for k in range(1, 50))
    return min(1.0, max(0.0, float(sum(terms))))


def _auc(one: Samples, other: Samples, draw: np.random.Generator, count: int = _MEANS) -> float:
    """Of means over samples drawn with a fixed seed: the same samples give the same answer."""
    means = [np.sort(draw.choice(side, (count, ASKED)).mean(axis=1)) for side in (one, other)]
    below = np.searchsorted(means[0], means[1], "left").mean() / count
    at_most = np.searchsorted(means[0], means[1], "right").mean() / count
    return float((below + at_most) / 2)


def _between(one: Samples, other: Samples) -> tuple[float, float]:
    draw = np.random.default_rng(2)
    found = [
        _auc(draw.choice(one, len(one)), draw.choice(other, len(other)), draw, _MEANS // 2)
        for _ in range(_RESAMPLED)
    ]
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)


def bits(one: Samples, other: Samples) -> float:
    """Of mutual information between a sample and whose it is; never below 0."""
    both = np.concatenate([one, other])
    values = np.unique(both)
    if len(values) > _BINS:
        edges = np.unique(np.quantile(both, np.linspace(0, 1, _BINS + 1)[1:-1]))
        one, other = (np.digitize(side, edges).astype(np.float64) for side in (one, other))
        values = np.unique(np.concatenate([one, other]))
    counts = np.array([[np.sum(side == value) for value in values] for side in (one, other)])
    together = _entropy(counts.sum(axis=0)) + _entropy(counts.sum(axis=1)) - _entropy(counts)
    bias = (len(values) - 1) / (2 * counts.sum() * log(2))
    return max(0.0, float(together - bias))


def _entropy(counts: npt.NDArray[np.int64]) -> float:
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log2(share)).sum())

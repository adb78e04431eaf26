"""How well two samples can be told apart: questions of which each finds what the others miss.

- Kolmogorov and Smirnov: the largest distance of the two distributions, which finds any difference
  of shape; used against prompt caches by Gu et al., 2025, "Auditing Prompt Caching in Language
  Model APIs", with 250 samples of each.
- The area under the curve (AUC): how often a sample of the second lies above one of the first; 0.5
  is never knowing.
- The same of means of 50, which is what an attacker has who asks again and again.
- Mutual information: the bits that one sample tells.

Rule: where there is nothing to tell, what the last two say is right on average over seeds (0.5, and
0 bits): the direction is learnt on one half and tried on the other, and what permuted samples would
tell is taken off.  Both may thus be on the wrong side by luck.
"""

from typing import Final

import numpy as np
from scipy import stats

from extproc.redteam.answers import Floats, Ints

ASKED: Final = 50
"""Samples in one mean."""
_MEANS: Final = 1_000
_PERMUTED: Final = 100
_BINS: Final = 16
_TWO_SIDED: Final = 1.959964


def kolmogorov(one: Floats, other: Floats) -> tuple[float, float]:
    """The distance, 0 to 1, and the chance of one as large where there is no difference."""
    found = stats.ks_2samp(one, other)
    return float(found.statistic), float(found.pvalue)


def auc(one: Floats, other: Floats) -> float:
    """How often a sample of the second is above one of the first; a tie counts half."""
    ranks = stats.rankdata(np.concatenate([other, one]))[: len(other)]
    return float((ranks.sum() / len(other) - (len(other) + 1) / 2) / len(one))


def auc_interval(value: float, ones: int, others: int) -> tuple[float, float]:
    """Where the AUC lies with 95 % confidence, after Hanley and McNeil, 1982, "The meaning and use
    of the area under a receiver operating characteristic (ROC) curve".
    """
    second, third = value / (2 - value), 2 * value**2 / (1 + value)
    spread = (
        value * (1 - value) + (others - 1) * (second - value**2) + (ones - 1) * (third - value**2)
    ) / (ones * others)
    reach = _TWO_SIDED * float(np.sqrt(max(spread, 0.0)))
    return max(0.0, value - reach), min(1.0, value + reach)


def true_positives(one: Floats, other: Floats, false_positives: float) -> float:
    """Share of the second above the threshold that so few of the first reach.

    Carlini et al., 2022, "Membership Inference Attacks From First Principles": an attack that is
    right about a few, and sure of it, hides in an average.
    """
    allowed = int(false_positives * len(one))
    threshold = np.sort(one)[::-1][allowed]
    return float(np.mean(other > threshold))


def told_apart(one: Floats, other: Floats) -> float:
    """The AUC of an attacker who learns on one half which side is higher, and tries the other.

    Samples [N] and [M] of at least two each, in the order in which they were drawn.
    """
    return (
        float(
            np.mean([_ahead(*known) * (auc(*tried) - 0.5) for known, tried in _halves(one, other)])
        )
        + 0.5
    )


def told_apart_by_means(one: Floats, other: Floats, rng: np.random.Generator) -> float:
    """The same of one who sees the mean of 50 samples at once."""
    found = []
    for known, tried in _halves(one, other):
        means = [rng.choice(side, (_MEANS, ASKED)).mean(axis=1) for side in tried]
        found.append(_ahead(*known) * (auc(*means) - 0.5))
    return float(np.mean(found)) + 0.5


def information(one: Floats, other: Floats, rng: np.random.Generator) -> tuple[float, float]:
    """Bits that one sample tells of whose it is, less what permuted ones would, and the chance of
    as many where there is no difference.
    """
    values = _binned(np.concatenate([one, other]))
    side = np.repeat([0, 1], [len(one), len(other)])
    told = _information(values, side)
    lucky = [_information(values, rng.permutation(side)) for _ in range(_PERMUTED)]
    chance = (1 + sum(each >= told for each in lucky)) / (1 + _PERMUTED)
    return told - float(np.mean(lucky)), chance


_Pair = tuple[Floats, Floats]


def _halves(one: Floats, other: Floats) -> list[tuple[_Pair, _Pair]]:
    """What is known and what is tried, both ways round."""
    even, odd = (one[::2], other[::2]), (one[1::2], other[1::2])
    return [(even, odd), (odd, even)]


def _ahead(one: Floats, other: Floats) -> float:
    """1 where the second is higher on average, -1 where the first is, 0 where neither."""
    return float(np.sign(other.mean() - one.mean()))


def _binned(values: Floats) -> Ints:
    """Places of values in at most 16 bins of as many samples each."""
    if len(np.unique(values)) > _BINS:
        edges = np.unique(np.quantile(values, np.linspace(0, 1, _BINS + 1)[1:-1]))
        return np.digitize(values, edges).astype(np.int64)
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def _information(values: Ints, side: Ints) -> float:
    counts = np.bincount(2 * values + side, minlength=2 * int(values.max()) + 2).reshape(-1, 2)
    return _entropy(counts.sum(axis=0)) + _entropy(counts.sum(axis=1)) - _entropy(counts.ravel())


def _entropy(counts: Ints) -> float:
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log2(share)).sum())

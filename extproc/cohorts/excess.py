"""Too many of a group are rarer than benign callers: an e-value for a group of callers of whom no
link is known.

Rules.  Each caller counts once, at a fixed number of queries, by how rare its evidence is among
benign callers of so many.  Callers are independent, given that the group is benign, so the
likelihood ratio of a mixture, some of it attackers, against benign ones alone is a test martingale:
it may be looked at after each caller, and their order does not matter (Donoho and Jin, "Higher
criticism for detecting sparse heterogeneous mixtures", Annals of Statistics, 2004; Ramdas,
Grunwald, Vovk and Shafer, "Game-Theoretic Statistics and Safe Anytime-Valid Inference", Statistical
Science, 2023).  Attackers may be rare themselves, or be no rarer than many a benign caller while
none of them is as usual as most are: who deals out all there is to ask over many keys gives each
key a little of everything, and no key has a favourite, as benign callers have.

Benign callers of today are not quite those of the calibration: the null has somewhat more of them
in the rare bins than their names say; and since no alternative ever bets less on a rarer bin, it
holds for whatever benign population has no more (by stochastic order).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

LEVELS: Final = (
    *(0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8, 0.9, 0.95, 0.99),
)
"""The quantiles of benign callers' evidence between bins; the last bin is the rarest."""
BINS: Final = len(LEVELS) + 1
_RARE: Final = ((0.0, 1), (0.15, 1), (0.3, 1)), (0.05, 0.2, 0.5, 0.9)
_EVEN: Final = ((1.0, 4), (1.0, 8)), (0.9,)
"""Powers a and b, for attackers whose p-value is below p with probability 1 - (1 - p**a)**b, and
their shares of the callers.  The less a, the rarer the rarest of them; the more b, the fewer are
usual.  With a of 0 all are in the last bin that any benign caller is in.  There is no milder law:
a company that is a little like attackers is to lose each bet."""

_WEIGHTS: Final = np.concatenate(
    [
        np.full(len(laws) * len(shares), 0.5 / (len(laws) * len(shares)))
        for laws, shares in (_RARE, _EVEN)
    ]
)
"""Of alternatives: half of all for each kind."""

Nats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.float32]
"""Shape (..., BINS): callers."""
Masses = npt.NDArray[np.float64]
"""Shape (BINS,): the share of benign callers in each bin, at most, those above each level counted
together."""
Bets = npt.NDArray[np.float64]
"""Shape (..., alternatives, BINS): nats for a caller in each bin."""


def null(quantiles: Sequence[float], drift: float) -> Masses:
    """Where evidence has these at LEVELS, which rise; of levels that have the same the highest is
    meant, since nobody is between them.  What benign callers reach with probability p, others who
    are benign reach with p**drift.
    """
    known = np.array(quantiles)
    tails = (1.0 - np.array(LEVELS)) ** drift
    above = tails[np.searchsorted(known, known, side="right") - 1]
    masses: Masses = -np.diff([1.0, *above, 0.0])
    return masses


def bets(masses: Masses) -> Bets:
    """Of all alternatives against the null, shape (alternatives, BINS)."""
    tails = np.append(np.cumsum(masses[::-1])[::-1], 0.0).clip(0.0, 1.0)
    ratios = []
    for laws, shares in (_RARE, _EVEN):
        for rare, few in laws:
            law = -np.diff(1.0 - (1.0 - np.where(tails > 0, tails**rare, 0.0)) ** few)
            ratio = np.divide(law, masses, out=np.zeros(BINS), where=masses > 0)
            ratios += [1.0 + share * (ratio - 1.0) for share in shares]
    # Nobody is in a bin that has no mass: what is bet there does not matter, as long as it rises.
    told: Bets = np.log(np.maximum.accumulate(np.array(ratios), axis=1))
    return told


def evidence(counts: Counts, against: Bets) -> Nats:
    """In nats, of the weighed average e-value over alternatives; shape (...,)."""
    told = np.einsum("...b,...ab->...a", counts.astype(np.float64), against)
    return average(told, _WEIGHTS)


def average(nats: Nats, weights: Nats) -> Nats:
    """Of e-values, in nats, shape (..., e-values), with weights that add up to 1; shape (...,)."""
    most = nats.max(axis=-1)
    mean: Nats = most + np.log(np.exp(nats - most[..., None]) @ weights)
    return mean


def share(counts: Counts, masses: Masses) -> float:
    """Of attackers in a group, by how many more are in rare bins, at most half; shape (BINS,)."""
    total = float(counts.sum())
    if not total:
        return 0.0
    rarer = np.cumsum(counts[::-1].astype(np.float64))[:-1]
    usual = np.cumsum(masses[::-1])[:-1].clip(max=1.0 - 1e-9)
    more = (rarer / total - usual) / (1.0 - usual)
    return float(np.clip(more.max(), 0.0, 0.5))

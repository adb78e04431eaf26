"""Too many of a group ask what few do: an e-value for a group of callers of whom no link is known.

Rules.  Each caller counts once, at a fixed number of queries, by how rare its evidence is among
benign callers of so many: which fifth, twentieth or hundredth of them it is in.  Callers are
independent, so the likelihood ratio of a mixture, some of it attackers, against benign ones alone
is a test martingale: it may be looked at after each caller, and their order does not matter
(Donoho and Jin, "Higher criticism for detecting sparse heterogeneous mixtures", Annals of
Statistics, 2004; Ramdas, Grunwald, Vovk and Shafer, "Game-Theoretic Statistics and Safe Anytime-
Valid Inference", Statistical Science, 2023).  An alternative that says no more than how many are
above one level is the binomial's.

Benign callers of today are not quite those of the calibration: the null has somewhat more of them
in the rare bins than their names say; and since no alternative ever bets less on a rarer bin, it
holds for whatever benign population has no more (by stochastic order).
"""

from typing import Final

import numpy as np
import numpy.typing as npt

LEVELS: Final = (0.5, 0.8, 0.95, 0.99)
"""The quantiles of benign callers' evidence between bins; the last bin is the rarest."""
BINS: Final = len(LEVELS) + 1
_NULL: Final = np.array([0.42, 0.33, 0.18, 0.05, 0.02])
"""How many benign callers are in each bin at most, those above each level counted together."""
_SHARES: Final = (0.02, 0.05, 0.1, 0.3, 0.7)
"""Of attackers among the callers."""
_POWERS: Final = (0.15, 0.3, 0.6)
"""An attacker's p-value is below p with probability p**power."""

Counts = npt.NDArray[np.float32]
"""Shape (..., BINS): callers."""


def _alternatives() -> npt.NDArray[np.float64]:
    tails = np.array([1.0, *(1.0 - level for level in LEVELS), 0.0])
    laws = [tails[:-1] ** power - tails[1:] ** power for power in _POWERS]
    for above in range(1, BINS):
        rarer = np.where(np.arange(BINS) >= above, _NULL, 0.0)
        laws.append(rarer / rarer.sum())
    mixed = [share * law + (1 - share) * _NULL for share in _SHARES for law in laws]
    bets: npt.NDArray[np.float64] = np.log(np.array(mixed) / _NULL)
    return bets


_BETS: Final = _alternatives()
"""Nats for a caller in each bin, shape (alternatives, BINS)."""


def evidence(counts: Counts) -> npt.NDArray[np.float64]:
    """In nats, of the average e-value over alternatives; shape (...,)."""
    told = counts.astype(np.float64) @ _BETS.T
    mean: npt.NDArray[np.float64] = np.logaddexp.reduce(told, axis=-1) - np.log(len(_BETS))
    return mean


def share(counts: Counts) -> float:
    """Of attackers in a group, by how many more are in rare bins, at most half; shape (BINS,)."""
    total = float(counts.sum())
    if not total:
        return 0.0
    rarer = np.cumsum(counts[::-1].astype(np.float64))[:-1]
    usual = np.cumsum(_NULL[::-1])[:-1]
    more = (rarer / total - usual) / (1.0 - usual)
    return float(np.clip(more.max(), 0.0, 0.5))

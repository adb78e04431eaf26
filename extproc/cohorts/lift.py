"""What the suspicion of a cohort says of one of its members.

Rule: lift = suspicion of the cohort x how likely the member is one of those who make it suspicious.
The odds of that are those of the link, even at most, times the member's own e-value, against a
margin: what others can bring about without it (its neighbours' addresses, its client's looks, its
hours, its inputs asked after it) never makes more than an even chance.  So nobody is lifted above a
half, whatever an attacker does, whose own e-value stays below the margin: of benign callers one in
seven at most does not, by Ville's inequality, and far fewer where evidence is calibrated.  Source:
Efron, Tibshirani, Storey and Tusher, "Empirical Bayes Analysis of a Microarray Experiment",
Journal of the American Statistical Association, 2001: the local false discovery rate.
"""

import math
from typing import Final

MARGIN: Final = 2.0
"""Nats of its own that say nothing yet."""
OWN: Final = 5.0
"""Nats of its own at most that count: what is more is its own suspicion."""


def lift(suspicion: float, odds: float, own: float) -> float:
    """From 0 to 1.  ``odds`` of the link and ``own`` evidence are in nats; those may be -inf."""
    told = min(odds, 0.0) + min(own, OWN) - MARGIN
    return suspicion / (1.0 + math.exp(-max(told, -50.0)))

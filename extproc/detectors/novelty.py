"""Novelty: queries that are further from what others ask than theirs are from each other.

Whoever steals a model with the texts of another domain, with made-up ones or with noise asks what
no user asks.  The conformal p-value of a query is how many of the reference's own held-out queries
are as far away as it; a bet of exponent kappa against its being uniform pays kappa * p**(kappa-1),
and the wealth of who bets on each of several is an e-value, whenever one looks (Vovk, "Testing
randomness online", Statistical Science, 2021; Shafer, "Testing by betting", JRSS A, 2021).

Rule: how many there were and the sum of -ln p is all that is kept; the wealth follows from them.
A benign caller's topics may be harder than the reference's as a whole: the bet is against the worst
that is allowed for, a law of exponent ``floor``, not against the uniform one.
"""

import math
from typing import Final

import numpy as np

from extproc.detectors.detector import Counters, Tally
from extproc.detectors.features import Features
from extproc.detectors.likelihood import Nats, average

FLOOR: Final = 0.65
_EXPONENTS: Final = (0.1, 0.15, 0.2, 0.3, 0.5)


class Novelty:
    name = "novelty"
    size = 2

    def __init__(self, floor: float = FLOOR) -> None:
        """The exponent that benign callers are allowed; 1 where they all ask alike.

        Raise ValueError unless it is above 0 and at most 1.
        """
        if not 0 < floor <= 1:
            raise ValueError("the floor must be above 0 and at most 1")
        bets = [each for each in _EXPONENTS if each < floor] or [floor / 2]
        self._bets = np.array([[math.log(bet / floor) for bet in bets], [floor - b for b in bets]])

    def count(self, counters: Tally, features: Features, weight: float) -> None:
        """Queries the reference knows the like of; the sum of their surprises."""
        known, surprise = surprises(features)
        counters[0] += weight * known
        counters[1] += weight * surprise

    def evidence(self, counters: Counters) -> Nats:
        wealth = counters.astype(np.float64) @ self._bets
        return np.where(counters[..., 0] > 0, average(wealth), -np.inf)


def surprises(features: Features) -> tuple[int, float]:
    """Of how many queries the reference knows the like, and the sum of their surprises."""
    number, surprise = 0, 0.0
    for cell, nats in zip(features.cells.tolist(), features.surprises.tolist(), strict=True):
        if cell >= 0:
            number += 1
            surprise += nats
    return number, surprise

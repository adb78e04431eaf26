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

from extproc.detectors.detector import Counters
from extproc.detectors.features import Features

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
        self._bets = [(math.log(bet / floor), floor - bet) for bet in bets]

    def count(self, counters: Counters, features: Features, weight: float) -> None:
        """Queries the reference knows the like of; the sum of their surprises."""
        cells, surprises = features.cells.tolist(), features.surprises.tolist()
        known = [each for cell, each in zip(cells, surprises, strict=True) if cell >= 0]
        counters[0] += weight * len(known)
        counters[1] += weight * math.fsum(known)

    def evidence(self, counters: Counters) -> float:
        number, surprise = float(counters[0]), float(counters[1])
        if number <= 0:
            return -math.inf
        wealth = [number * odds + gap * surprise for odds, gap in self._bets]
        most = max(wealth)
        return most + math.log(math.fsum(math.exp(each - most) for each in wealth) / len(wealth))

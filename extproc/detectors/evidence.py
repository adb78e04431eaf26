"""How evidence adds up, and what suspicion it makes.

The average of e-values is one, however they depend on each other (Vovk and Wang, "E-values:
Calibration, combination and applications", Annals of Statistics, 2021); a product would need them
to be independent.  Some detectors say more of benign callers than others, so each has a discount,
which is a weight of its e-value: the average stays one, but for a factor that is the same for all
callers of a class.  Suspicion is the average, measured by what benign callers of the same traffic
class reach once in a thousand lives, as ``extproc calibrate`` found.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_NONE: Final[Mapping[str, float]] = MappingProxyType({})
ALARM: Final = 0.9
"""The suspicion of a caller that has reached that."""


def combined(evidence: Mapping[str, float], discounts: Mapping[str, float] = _NONE) -> float:
    """Natural logarithm of the average e-value; -inf where there is none.

    Discounts, in nats, are taken off each first, by the name of its detector.
    """
    left = [nats - discounts.get(name, 0.0) for name, nats in evidence.items()]
    most = max(left, default=-math.inf)
    if most == -math.inf:
        return most
    return most + math.log(math.fsum([math.exp(nats - most) for nats in left]) / len(left))


def suspicion(nats: float, threshold: float) -> float:
    """From 0 to 1: 0.9 at the threshold, 0.99 at twice as much, 0 where nothing speaks for it."""
    return 1.0 - math.pow(10.0, -max(0.0, nats) / threshold)

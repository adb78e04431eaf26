"""How much more two subjects have in common than chance would give them.

Rule: what is popular counts for little by itself, since chance is reckoned from how many have each
thing.  The number in common is Poisson, nearly, under chance; the logarithm of the likelihood ratio
of the best rate against chance is k ln(k/m) - (k - m), with k in common where m were expected
(the Chernoff bound of a Poisson tail).
"""

import numpy as np
import numpy.typing as npt

Nats = npt.NDArray[np.float64]
"""Shape (pairs,)."""


def excess(common: Nats, expected: Nats) -> Nats:
    """In nats, 0 where there is no more in common than expected; shape (pairs,)."""
    more = common > expected
    least = np.maximum(expected, 1e-9)
    told = common * np.log(np.maximum(common, 1e-9) / least) - (common - least)
    found: Nats = np.where(more, told, 0.0)
    return found


def chance(had: npt.NDArray[np.floating], others: Nats, usual: float) -> Nats:
    """How many of the things that one has, with the share of subjects that have each, shape (pairs,
    things), another has by chance, who has so many where ``usual`` is the mean.
    """
    found: Nats = had.sum(1, dtype=np.float64) * others / max(usual, 1e-9)
    return found

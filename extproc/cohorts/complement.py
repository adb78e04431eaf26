"""A link: coverage that is complementary, each asking what the others do not.

Rule: two subjects that draw from one distribution over the cells of the input space, and still
share no more inputs than chance gives, may be dealing one list out to many names; two that draw
from different ones are not.  The Bayes factor of one distribution against two, each of a Dirichlet
around the reference's (Good, "On the Application of Symmetric Dirichlet Distributions and their
Mixtures to Contingency Tables", Annals of Statistics, 1976).  It never links two by itself.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.cohorts.coincidence import Nats

MOST: Final = 2.5
"""Nats, for and against."""
WEIGHT: Final = 16.0
"""Of the reference, in queries: how far callers stray from it."""

Cells = npt.NDArray[np.float64]
"""How many distinct queries fell into each cell, shape (pairs, cells)."""


def evidence(left: Cells, right: Cells, base: npt.NDArray[np.float64], more: Nats) -> Nats:
    """``base`` are the reference's shares of the cells, shape (cells,); ``more`` is how much more
    they share than chance gives (probes.py); shape (pairs,).
    """
    prior = WEIGHT * base
    told = _likelihood(left + right, prior) - _likelihood(left, prior) - _likelihood(right, prior)
    found: Nats = np.where(more > 0, np.minimum(told, 0.0), told).clip(-MOST, MOST)
    return found


def _likelihood(counts: Cells, prior: npt.NDArray[np.float64]) -> Nats:
    """The Dirichlet-multinomial's, but for what both sides of the factor have in common."""
    total = prior.sum()
    cells = _log_gamma(counts + prior) - _log_gamma(prior)
    found: Nats = cells.sum(1) - (_log_gamma(total + counts.sum(1)) - _log_gamma(total))
    return found


def _log_gamma(x: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Stirling's series, from eight on, where its error is below 1e-8 (Abramowitz and Stegun,
    6.1.41 and 6.1.15).
    """
    z = np.asarray(x, np.float64)
    below = np.zeros_like(z)
    for step in range(8):
        below += np.log(z + step)
    z = z + 8.0
    series = 1 / (12 * z) - 1 / (360 * z**3) + 1 / (1260 * z**5)
    found: npt.NDArray[np.float64] = (
        (z - 0.5) * np.log(z) - z + 0.5 * np.log(2 * np.pi) + series - below
    )
    return found

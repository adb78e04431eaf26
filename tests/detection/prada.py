"""PRADA, as a baseline to compare with: it is no part of the product.

Of each query the least distance to those before it that were answered alike; attackers' distances
stray from a normal distribution, says the paper, and the Shapiro-Wilk statistic below ``delta``
tells.  A class's set of queries grows only by those farther off than its distances say.

Source: Juuti, Szyller, Marchal and Asokan, "PRADA: Protecting against DNN model stealing attacks",
EuroS&P 2019, algorithm 3.
"""

from collections.abc import Hashable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import shapiro

Vector = npt.NDArray[np.floating[Any]]
FEWEST = 100
"""Distances that the paper waits for."""
OUTLYING = 3.0
"""Standard deviations from the mean beyond which a distance is left out of the test."""


class Prada:
    """Of one caller, and in the order in which it asks."""

    def __init__(self, delta: float = 0.9) -> None:
        self.delta = delta
        self.flagged = False
        self._distances: list[float] = []
        self._sets: dict[Hashable, list[Vector]] = {}
        self._least: dict[Hashable, list[float]] = {}

    def ask(self, query: Vector, answer: Hashable) -> float:
        """Shapiro and Wilk's W, 1 while it is too early for one."""
        known, least = self._sets.setdefault(answer, []), self._least.setdefault(answer, [])
        if not known:
            known.append(query)
            return 1.0
        distance = float(np.linalg.norm(np.stack(known) - query, axis=1).min())
        self._distances.append(distance)
        least.append(distance)
        if distance > np.mean(least) - np.std(least):
            known.append(query)
        w = self._normality()
        self.flagged = self.flagged or w < self.delta
        return w

    def _normality(self) -> float:
        found = np.array(self._distances)
        if len(found) < FEWEST:
            return 1.0
        inside = found[np.abs(found - found.mean()) <= OUTLYING * found.std()]
        return float(shapiro(inside).statistic) if np.ptp(inside) > 0 else 0.0

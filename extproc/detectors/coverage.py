"""Coverage: queries spread over the input space as evenly as all callers' together are.

A caller has topics; who copies a model wants all of it (Kesarwani, Mukhoty, Arya and Mehta, "Model
extraction warning in MLaaS paradigm", ACSAC 2018, who measure how much of it a caller's queries
cover).  Given how many queries there were, the cells they fell into are as likely as the
reference's shares of them say where each is drawn afresh, and as Pólya's urn says where a caller
comes back to his topics: the latter is the Dirichlet-multinomial law (Ferguson, "A Bayesian
analysis of some nonparametric problems", Annals of Statistics, 1973; Blackwell and MacQueen,
"Ferguson distributions via Pólya urn schemes", ibid.).  Their ratio is an e-value for the former.

Rule: how many queries were in each cell is all that is kept, of which the number of distinct cells
and their participation ratio are functions.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.detectors.detector import Counters
from extproc.detectors.features import Features

CELLS: Final = 64
"""Of all domains together."""
_CONCENTRATIONS: Final = (8.0, 16.0, 32.0)
"""Of a caller's topics; each as likely as the others."""
_HALF_LOG_TAU: Final = 0.5 * math.log(2 * math.pi)


class Coverage:
    name = "coverage"
    size = CELLS

    def __init__(self, shares: Sequence[Sequence[float]]) -> None:
        """How often each cell is asked about by all callers, domain by domain; positive.

        Raise ValueError where there are too many of them, or where one is not positive.
        """
        if not 0 < sum(map(len, shares)) <= CELLS or min(map(min, filter(None, shares))) <= 0:
            raise ValueError(f"shares must be positive, {CELLS} at most")
        self._domains: list[_Domain] = []
        start = 0
        for each in filter(None, shares):
            self._domains.append(_Domain(slice(start, start + len(each)), each))
            start += len(each)

    def count(self, counters: Counters, features: Features, weight: float) -> None:
        for cell in features.cells.tolist():
            if cell >= 0:
                counters[cell % CELLS] += weight

    def evidence(self, counters: Counters) -> float:
        if not counters.any():
            return -math.inf
        counts = counters.astype(np.float64)
        return math.fsum(domain.ratio(counts) for domain in self._domains)


class _Domain:
    def __init__(self, part: slice, shares: Sequence[float]) -> None:
        weights = np.array(shares, np.float64) / sum(shares)
        self._part, self._logarithms = part, np.log(weights)
        self._priors = np.outer(_CONCENTRATIONS, weights)
        self._prior = _lgamma(self._priors).sum(1)

    def ratio(self, counts: npt.NDArray[np.float64]) -> float:
        """Natural logarithm of the ratio, given the counts of all domains' cells."""
        own = counts[self._part]
        total = float(own.sum())
        cells = _lgamma(self._priors + own).sum(1) - self._prior
        urns = [
            drawn + math.lgamma(theta) - math.lgamma(theta + total)
            for drawn, theta in zip(cells.tolist(), _CONCENTRATIONS, strict=True)
        ]
        most = max(urns)
        mixed: float = most + math.log(math.fsum(math.exp(urn - most) for urn in urns) / len(urns))
        return float(own @ self._logarithms) - mixed


def _lgamma(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """ln(gamma(x)) of positive numbers, to 1e-7: Stirling's series at x + 5, and five steps down.

    A few operations on all of them take less time than the library's function on each.
    """
    near = x * (x + 4)  # times x + 1, x + 3 and x + 2: five factors in all
    high = x + 5
    inverse = 1 / high
    series = inverse * (1 / 12 - inverse * inverse / 360)
    made: npt.NDArray[np.float64] = (
        (high - 0.5) * np.log(high)
        - high
        + _HALF_LOG_TAU
        + series
        - np.log(near * (near + 3) * (x + 2))
    )
    return made

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

from collections.abc import Sequence
from typing import Final

import numpy as np

from extproc.detectors.detector import Counters, Tally
from extproc.detectors.features import Features
from extproc.detectors.likelihood import Nats, average, lgamma

CELLS: Final = 64
"""Of all domains together."""
_CONCENTRATIONS: Final = np.array([8.0, 16.0, 32.0])
"""Of a caller's topics; each as likely as the others."""


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

    def count(self, counters: Tally, features: Features, weight: float) -> None:
        for cell in features.cells.tolist():
            if cell >= 0:
                counters[cell % CELLS] += weight

    def evidence(self, counters: Counters) -> Nats:
        counts = counters.astype(np.float64)
        ratios = sum(domain.ratio(counts) for domain in self._domains)
        return np.where(counters.any(axis=-1), ratios, -np.inf)


class _Domain:
    def __init__(self, part: slice, shares: Sequence[float]) -> None:
        weights = np.array(shares, np.float64) / sum(shares)
        self._part, self._logarithms = part, np.log(weights)
        self._priors = np.outer(_CONCENTRATIONS, weights)
        self._nothing = lgamma(self._priors).sum(axis=-1) - lgamma(_CONCENTRATIONS)

    def ratio(self, counts: Nats) -> Nats:
        """Natural logarithm of the ratio, given the counts of all domains' cells."""
        own = counts[..., self._part]
        total = own.sum(axis=-1, keepdims=True)
        cells = lgamma(self._priors + own[..., None, :]).sum(axis=-1)
        urns = cells - lgamma(_CONCENTRATIONS + total) - self._nothing
        ratio: Nats = own @ self._logarithms - average(urns)
        return ratio

"""Likelihood ratios that depend on counts alone, in nats.

Rule: who is observed has a distribution of its own, drawn from a Dirichlet distribution: a wide or
narrow one where a model is used, another where it is copied.  Each ratio integrates it out, so it
is an e-value in closed form whatever the order of events; between two such priors it stays bounded
however much is counted.  Counts may be fractions, as decay leaves them.

Sources: Robbins, "Statistical methods related to the law of the iterated logarithm", 1970 (the
method of mixtures); Minka, "Estimating a Dirichlet distribution", 2000.
"""

import math
from collections.abc import Sequence
from math import lgamma
from typing import Final

import numpy as np
import numpy.typing as npt

_STEPS: Final = 256
"""Places of a table for each unit of log(1 + count)."""
_LARGEST: Final = 15.0
"""log(1 + count) above which counts are taken for three millions."""
_NEAREST: Final = np.float32(0.5)
_FINITE: Final = 700.0


def average(nats: Sequence[float], most: float = _FINITE) -> float:
    """Logarithm of the average of e-values, each no more than ``most``; -inf of none."""
    total = math.fsum([math.exp(min(most, each)) for each in nats])
    return math.log(total / len(nats)) if total else -math.inf


Prior = tuple[float, float]
"""Parameters of a Beta distribution."""


class Share:
    """Of a share that is drawn from one Beta distribution, against another."""

    __slots__ = ("_beyond", "_copies", "_uses")

    def __init__(self, copies: Prior, uses: Prior) -> None:
        self._copies, self._uses = copies, uses
        self._beyond = _normal(copies) - _normal(uses)

    def ratio(self, hits: float, misses: float) -> float:
        (a, b), (c, d), total = self._copies, self._uses, hits + misses
        found = lgamma(a + hits) + lgamma(b + misses) - lgamma(a + b + total)
        usual = lgamma(c + hits) + lgamma(d + misses) - lgamma(c + d + total)
        return self._beyond + found - usual


class Shares:
    """Of a distribution that is drawn from one Dirichlet distribution, against another."""

    __slots__ = ("_beyond", "_copies", "_each", "_uses")

    def __init__(self, copies: Sequence[float], uses: Sequence[float]) -> None:
        """Parameters, of each class."""
        self._each = [(a, b, lgamma(b) - lgamma(a)) for a, b in zip(copies, uses, strict=True)]
        self._copies, self._uses = sum(copies), sum(uses)
        self._beyond = lgamma(self._copies) - lgamma(self._uses)

    def ratio(self, counts: Sequence[float]) -> float:
        total = sum(counts)
        found = self._beyond - lgamma(self._copies + total) + lgamma(self._uses + total)
        for count, (a, b, beyond) in zip(counts, self._each, strict=True):
            if count:
                found += lgamma(a + count) - lgamma(b + count) + beyond
        return found


class Evenness:
    """The same of many cells, none of which is special, by tables: of several priors at once."""

    def __init__(self, cells: int, copies: Sequence[float], uses: float) -> None:
        """``copies``, ``uses``: concentrations, each the sum of a prior's parameters: the higher,
        the more evenly a caller's counts lie in the cells.
        """
        self._copies, self._uses, self._cells = copies, uses, cells
        counts = np.expm1(np.arange(int(_LARGEST * _STEPS) + 1) / _STEPS).tolist()
        usual = [_grown(uses / cells, count) for count in counts]
        each = [[_grown(a / cells, count) for count in counts] for a in copies]
        self._table = np.array(each) - np.array(usual)

    def ratios(self, counts: npt.NDArray[np.float32]) -> list[float]:
        """Of each prior, all groups of cells together; counts of shape (groups * cells,), of which
        each group has as many.
        """
        groups = len(counts) // self._cells
        total = float(counts.sum()) / groups
        places = np.log1p(counts) * np.float32(_STEPS) + _NEAREST
        cells = self._table.take(places.astype(np.intp), axis=1, mode="clip").sum(axis=1)
        usual = _grown(self._uses, total)
        return [
            found - groups * (_grown(a, total) - usual)
            for found, a in zip(cells.tolist(), self._copies, strict=True)
        ]


def _normal(prior: Prior) -> float:
    a, b = prior
    return lgamma(a + b) - lgamma(a) - lgamma(b)


def _grown(a: float, count: float) -> float:
    return lgamma(a + count) - lgamma(a)

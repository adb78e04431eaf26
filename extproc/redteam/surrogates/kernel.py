"""Kernel ridge regression, for few answers.

Rule: how wide the kernel is, how much is smoothed and whether scores or their logarithms are
learnt is chosen by leaving each row out, which for this family has a closed form; one that sees
more rows than it has time for learns from some of them.  Rasmussen and Williams, 2006, "Gaussian
Processes for Machine Learning", sections 2.2 and 5.4.2.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.linalg import solve

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.surrogates.softmax_regression import softmax

MOST: Final = 1_500
"""Rows that are learnt from: time grows with their cube."""
_CHOSEN_ON: Final = 300
"""Rows that the choice is made on."""
_WIDTHS: Final = (0.3, 0.7, 1.5)
"""Of the kernel, in parts of the inverse of the median squared distance."""
_RIDGES: Final = (1e-3, 1e-1)
_LEAST: Final = 1e-3
"""Score below which a logarithm is no lower."""


@dataclass(frozen=True, slots=True)
class Setting:
    width: float
    ridge: float
    logarithm: bool

    def wanted(self, targets: Floats) -> Floats:
        """What is regressed on."""
        return np.log(np.maximum(targets, _LEAST)) if self.logarithm else targets


@dataclass(frozen=True, slots=True)
class Kernel:
    """Rows [n, d] of inputs of one scale, and their weights [n, C]."""

    scale: Floats
    rows: Floats
    width: float
    weights: Floats
    offset: Floats
    logarithm: bool
    """Whether it is logarithms that it says."""

    def __call__(self, inputs: Floats) -> Ints:
        labels: Ints = self._said(inputs).argmax(axis=1)
        return labels

    def probabilities(self, inputs: Floats) -> Floats:
        """Of inputs [N, d], [N, C]: what it says, brought to a sum of 1."""
        said = self._said(inputs)
        if self.logarithm:
            return softmax(said)
        likely = np.maximum(said, _LEAST)
        whole: Floats = likely / likely.sum(axis=1, keepdims=True)
        return whole

    def _said(self, inputs: Floats) -> Floats:
        near = _kernel(_distances(inputs / self.scale, self.rows), self.width)
        said: Floats = near @ self.weights + self.offset
        return said


def fit(
    inputs: Floats, targets: Floats, low: Floats, high: Floats, rng: np.random.Generator
) -> Kernel:
    """To inputs [N, d] within bounds [d], and targets [N, C]."""
    if len(inputs) > MOST:
        kept = rng.choice(len(inputs), MOST, replace=False)
        inputs, targets = inputs[kept], targets[kept]
    scale = np.where(high > low, high - low, 1.0)
    rows = inputs / scale
    setting = _chosen(rows[:_CHOSEN_ON], targets[:_CHOSEN_ON])
    wanted = setting.wanted(targets)
    offset = wanted.mean(axis=0)
    smoothed = _kernel(_distances(rows, rows), setting.width)
    smoothed[np.diag_indices(len(rows))] += setting.ridge
    weights = solve(smoothed, wanted - offset, assume_a="pos")
    return Kernel(scale, rows, setting.width, weights, offset, setting.logarithm)


def _chosen(rows: Floats, targets: Floats) -> Setting:
    """The setting under which most rows that are left out get the label they have."""
    distances = _distances(rows, rows)
    labels = targets.argmax(axis=1)
    apart = float(np.median(distances[distances > 0])) if distances.any() else 1.0
    # Labels have no logarithm worth learning.
    kinds = (False,) if np.all((targets == 0) | (targets == 1)) else (False, True)
    best, most = Setting(1 / apart, _RIDGES[0], False), -1.0
    for width in _WIDTHS:
        kernel = _kernel(distances, width / apart)
        for ridge in _RIDGES:
            inverse = np.linalg.inv(kernel + ridge * np.eye(len(rows))).astype(np.float64)
            for logarithm in kinds:
                setting = Setting(width / apart, ridge, logarithm)
                agreed = float(np.mean(left_out(inverse, setting.wanted(targets)) == labels))
                if agreed > most:
                    best, most = setting, agreed
    return best


def left_out(inverse: Floats, wanted: Floats) -> Ints:
    """The label [n] that each row gets from a fit to all others; ``inverse`` is of kernel and
    ridge together [n, n].
    """
    centred = wanted - wanted.mean(axis=0)
    missed = inverse @ centred / np.diag(inverse)[:, None]
    labels: Ints = (wanted - missed).argmax(axis=1)
    return labels


def _kernel(distances: Floats, width: float) -> Floats:
    kernel: Floats = np.exp(-width * distances)
    return kernel


def _distances(one: Floats, other: Floats) -> Floats:
    """Squared, between rows [n, d] and [m, d]: [n, m]."""
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
    distances: Floats = np.maximum(squares, 0)
    return distances

"""Removal of marks from copies of classifiers.

Papers: Lukas, Jiang, Li and Kerschbaum, 2022, "SoK: How Robust is Image Classification Deep Neural
Network Watermarking?", IEEE Symposium on Security and Privacy, for distilling anew and smoothing as
ways of removal; Cohen, Rosenfeld and Kolter, 2019, "Certified Adversarial Robustness via Randomized
Smoothing", ICML, section 3, for the vote.  A mark that sits in single inputs is no part of what a
copy says of other inputs, nor of what it says of their neighbours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.surrogates import forest

Labels = Callable[[Floats], Ints]

VOTES: Final = 15
WIDTH: Final = 0.03
"""Of the jitter: its deviation, in parts of an input's range."""
NOISE: Final = 0.1
"""Share of answers that are drawn."""


@dataclass(frozen=True, slots=True)
class Means:
    """What the thief has: inputs [N, d] that the victim was not asked about, and the bounds [d]."""

    inputs: Floats
    low: Floats
    high: Floats
    classes: int
    rng: np.random.Generator


@dataclass(frozen=True, slots=True)
class Smoothed:
    """What a copy says of most neighbours of an input: shifts [V, d] are the same for all."""

    copy: Labels
    shifts: Floats
    low: Floats
    high: Floats
    classes: int

    def __call__(self, inputs: Floats) -> Ints:
        """Labels [N]; of labels with as many votes, the lowest."""
        rows, votes = np.arange(len(inputs)), np.zeros((len(inputs), self.classes))
        for shift in self.shifts:
            votes[rows, self.copy(np.clip(inputs + shift, self.low, self.high))] += 1
        labels: Ints = votes.argmax(axis=1)
        return labels


def distilled(copy: Labels, means: Means) -> Labels:
    """A forest, taught by the copy alone."""
    taught = np.eye(means.classes)[copy(means.inputs)]
    return forest.fit(means.inputs, taught, means.rng)


def smoothed(copy: Labels, means: Means, votes: int = VOTES, width: float = WIDTH) -> Labels:
    """The majority over jittered neighbours."""
    shifts = means.rng.normal(size=(votes, len(means.low))) * width * (means.high - means.low)
    return Smoothed(copy, shifts, means.low, means.high, means.classes)


@dataclass(frozen=True, slots=True)
class Noisy:
    """What a copy says, but for a share of inputs, of which a class is drawn; the same of the same
    input.
    """

    copy: Labels
    share: float
    classes: int
    seed: int

    def __call__(self, inputs: Floats) -> Ints:
        labels = self.copy(inputs).copy()
        for place, row in enumerate(inputs):
            drawn = np.random.default_rng([self.seed, *np.ascontiguousarray(row).tobytes()])
            if drawn.random() < self.share:
                labels[place] = drawn.integers(self.classes)
        return labels


def noisy(copy: Labels, means: Means, share: float = NOISE) -> Labels:
    """A class in place of the copy's, for so many inputs."""
    return Noisy(copy, share, means.classes, int(means.rng.integers(2**31)))

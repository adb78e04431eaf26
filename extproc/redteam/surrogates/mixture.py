"""Copies of different families that answer together.

Rule: each says what it holds likely, and the mean counts.  Families err in different places, so
that where two are about as good the mean of both is better than either (Hansen and Salamon, 1990,
"Neural Network Ensembles").
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from extproc.redteam.answers import Floats, Ints


class Likely(Protocol):
    """A copy that tells what it holds likely."""

    def __call__(self, inputs: Floats) -> Ints:
        """Labels [N] of inputs [N, d]."""

    def probabilities(self, inputs: Floats) -> Floats:
        """Of inputs [N, d], [N, C]; rows sum to about 1."""


@dataclass(frozen=True, slots=True)
class Mixture:
    parts: tuple[Likely, ...]

    def __call__(self, inputs: Floats) -> Ints:
        labels: Ints = self.probabilities(inputs).argmax(axis=1)
        return labels

    def probabilities(self, inputs: Floats) -> Floats:
        """Of inputs [N, d], [N, C]."""
        mean: Floats = np.mean([part.probabilities(inputs) for part in self.parts], axis=0)
        return mean

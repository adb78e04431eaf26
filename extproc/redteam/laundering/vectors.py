"""Removal of marks from copies of embedding models.

Papers: Shetty, Xu and Lau, 2025, "WET: Overcoming Paraphrasing Vulnerabilities in
Embeddings-as-a-Service with Linear Transformation Watermarks", for marks that are a linear map, as
the thief's own here is; Mezzadri, 2007, "How to Generate Random Matrices from the
Classical Compact Groups", Notices of the AMS, section 5, for a rotation that is any with the same
chance; Hotelling, 1933, "Analysis of a complex of statistical variables into principal
components", for the dimensions that are kept; Jacob et al., 2018, "Quantization and Training of
Neural Networks for Efficient Integer-Arithmetic-Only Inference", CVPR, for eight bits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats

Embed = Callable[[list[str]], Floats]

STEPS: Final = 127
"""Of eight bits with a sign, on each side of zero."""
KEPT: Final = 0.5
"""Share of dimensions."""


@dataclass(frozen=True, slots=True)
class Means:
    """What the thief has: texts of his own."""

    texts: Sequence[str]
    rng: np.random.Generator


@dataclass(frozen=True, slots=True)
class Rounded:
    """Each vector in whole steps of its largest component."""

    copy: Embed

    def __call__(self, texts: list[str]) -> Floats:
        vectors = self.copy(texts)
        largest = np.abs(vectors).max(axis=1, keepdims=True)
        step = np.where(largest == 0, 1, largest) / STEPS
        whole: Floats = np.rint(vectors / step) * step
        return whole


@dataclass(frozen=True, slots=True)
class Mapped:
    """Through a matrix [D, E]."""

    copy: Embed
    matrix: Floats

    def __call__(self, texts: list[str]) -> Floats:
        mapped: Floats = self.copy(texts) @ self.matrix
        return mapped


def rounded(copy: Embed, means: Means) -> Embed:  # noqa: ARG001 -- as all removals
    """To eight bits."""
    return Rounded(copy)


def cut(copy: Embed, means: Means, share: float = KEPT) -> Embed:
    """To the axes along which the thief's texts differ most; their mean stays where it is."""
    vectors = copy(list(means.texts))
    _, _, axes = np.linalg.svd(vectors, full_matrices=False)
    return Mapped(copy, axes[: max(1, round(share * vectors.shape[1]))].T)


def turned(copy: Embed, means: Means) -> Embed:
    """By a secret rotation."""
    dimensions = copy(list(means.texts[:1])).shape[1]
    drawn, upper = np.linalg.qr(means.rng.normal(size=(dimensions, dimensions)))
    return Mapped(copy, drawn * np.sign(np.diag(upper)))

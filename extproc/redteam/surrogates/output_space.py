"""The space that a language model's logits lie in, from log probabilities of its whole vocabulary.

Rule: logits are a matrix of as many columns as the last hidden state has numbers, times that state,
so that those of all contexts lie in a space of so many dimensions.  Log probabilities are logits
less one number for each context: a row's mean is taken away, and the space that is left is that of
the logits but for the direction in which all tokens change alike.  Sources: Carlini et al., 2024,
"Stealing Part of a Production Language Model", ICML, section 4; Finlayson, Ren, Swayamdipta, 2024,
"Logits of API-Protected LLMs Leak Proprietary Information", COLM.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats

_GAP: Final = 1.5
"""How much larger the last singular value of the space is than the first that is noise, at least,
for a gap to be believed."""
_FIRST: Final = 4
"""Gaps before this place are not looked at: the first singular values differ much in any model."""


@dataclass(frozen=True, slots=True)
class Space:
    """``size`` dimensions, and an orthonormal basis [V, size] of them."""

    size: int
    basis: Floats

    def energy(self, rows: Floats) -> float:
        """The share of rows [N, V], each less its mean, that lies within: mean of the squares."""
        wanted = centred(rows)
        return float(np.mean(np.sum((wanted @ self.basis) ** 2, axis=1) / _squares(wanted)))


NONE: Final = Space(0, np.zeros((0, 0)))


def centred(rows: Floats) -> Floats:
    """Rows [N, V] without what a softmax takes no notice of."""
    without: Floats = rows - rows.mean(axis=1, keepdims=True)
    return without


def recovered(rows: Floats) -> Space:
    """The space of rows [N, V] of log probabilities; of size 0 where no gap tells where it ends."""
    _, values, axes = np.linalg.svd(centred(rows), full_matrices=False)
    size = width(values)
    return Space(size, axes[:size].T)


def width(values: Floats) -> int:
    """Before the widest gap of singular values, descending; 0 where none is wide.

    The last value is none of them: rows less their means have a rank of one less than tokens.
    """
    # Below the floor there is rounding, and contexts that came twice: no gap is looked for there.
    floor = values[0] * 1_024 * np.finfo(np.float64).eps
    kept = np.maximum(values[:-1], floor)
    ratios = kept[_FIRST:-1] / kept[_FIRST + 1 :]
    if not len(ratios) or ratios.max() < _GAP:
        return 0
    return int(_FIRST + ratios.argmax() + 1)


def overlap(space: Space, true: Floats) -> float:
    """The share of a true basis [V, h], orthonormal, that the space has."""
    return float(np.sum((true.T @ space.basis) ** 2) / true.shape[1])


def _squares(rows: Floats) -> Floats:
    squares: Floats = np.maximum(np.sum(rows**2, axis=1), np.finfo(np.float64).tiny)
    return squares

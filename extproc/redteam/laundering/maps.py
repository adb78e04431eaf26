"""Removal of marks from copies of embedding models that are linear maps, by changing their weights.

Papers: Han, Pool, Tran and Dally, 2015, "Learning both Weights and Connections for Efficient Neural
Networks", NeurIPS, for pruning by magnitude; Hinton, Vinyals and Dean, 2015, "Distilling the
Knowledge in a Neural Network", for a student of the copy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.attacks.embedding_regression import OnBase
from extproc.redteam.laundering.vectors import Embed
from extproc.redteam.surrogates import ngrams
from extproc.redteam.surrogates.ngrams import NGrams


@dataclass(frozen=True, slots=True)
class LinearCopy:
    """A copy, of any texts."""

    features: Callable[[Sequence[str]], Any]
    """From N texts to [N, d], perhaps sparse."""
    weights: Floats
    offset: Floats

    def __call__(self, texts: Sequence[str]) -> Floats:
        vectors: Floats = self.features(texts) @ self.weights + self.offset
        return vectors


def opened(copy: Embed) -> LinearCopy:
    """One of the red team's own.  Raise TypeError where it is none."""
    match copy:
        case OnBase(base, head):
            return LinearCopy(base.known, head.weights, head.offset)
        case NGrams(weights, offset):
            return LinearCopy(ngrams.counted, weights, offset)
        case _:
            raise TypeError("no copy of the red team's")


def pruned(copy: LinearCopy, share: float) -> LinearCopy:
    """Without the smallest of its weights."""
    sizes = np.abs(copy.weights)
    return replace(copy, weights=np.where(sizes < np.quantile(sizes, share), 0.0, copy.weights))


def fine_tuned(copy: LinearCopy, texts: Sequence[str], groups: Ints, pull: float) -> LinearCopy:
    """Trained on, so that texts of one of the groups [N] come together.

    ``pull``: how little is kept to what was learned before; at 1 as much as the data asks.
    """
    features, vectors = np.asarray(copy.features(texts) @ np.eye(len(copy.weights))), copy(texts)
    wanted = np.array([vectors[groups == group].mean(axis=0) for group in groups]) - vectors
    square = features.T @ features
    held = np.trace(square) / len(square) / pull * np.eye(len(square))
    return replace(copy, weights=copy.weights + np.linalg.solve(square + held, features.T @ wanted))


def distilled(copy: Embed, texts: Sequence[str]) -> LinearCopy:
    """A student of n-grams that has only what the copy says of texts."""
    student = ngrams.fit(ngrams.counted(texts), copy(list(texts)))
    return LinearCopy(ngrams.counted, student.weights, student.offset)

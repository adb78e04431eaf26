"""A surrogate of an embedding model for those who have no other: from n-grams to vectors.

Rule: it needs texts and their vectors, and nothing that was learned elsewhere.  Character n-grams
of three to five, hashed (Weinberger et al., 2009, "Feature Hashing for Large Scale Multitask
Learning"), then ridge regression.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer

from extproc.redteam.answers import Floats

FEATURES: Final = 2_048
STRENGTH: Final = 0.3
"""Of the penalty; every text's n-grams have length one.  The best of .03 to 3 from 300 to 3,000
texts, within .01."""

Sparse = Any
"""A scipy.sparse matrix, which has no types."""


def counted(texts: Sequence[str]) -> Sparse:
    """N-grams [N, FEATURES], each row of length one."""
    hashing = HashingVectorizer(n_features=FEATURES, analyzer="char_wb", ngram_range=(3, 5))
    return hashing.transform(texts)


@dataclass(frozen=True, slots=True)
class NGrams:
    weights: Floats
    offset: Floats

    def __call__(self, texts: Sequence[str]) -> Floats:
        vectors: Floats = counted(texts) @ self.weights + self.offset
        return vectors


def fit(grams: Sparse, vectors: Floats) -> NGrams:
    """From n-grams of N texts to their vectors [N, D]; over texts or over features, whichever are
    fewer.
    """
    mean, centre = np.asarray(grams.mean(axis=0)).ravel(), vectors.mean(axis=0)
    count = grams.shape[0]
    targets = vectors - centre
    if count < FEATURES:
        cross = grams @ mean
        kernel = (grams @ grams.T).toarray() - cross[:, None] - cross[None, :] + mean @ mean
        dual = np.linalg.solve(kernel + STRENGTH * np.eye(count), targets)
        weights = grams.T @ dual - np.outer(mean, dual.sum(axis=0))
    else:
        gram = (grams.T @ grams).toarray() - count * np.outer(mean, mean)
        weights = np.linalg.solve(gram + STRENGTH * np.eye(FEATURES), grams.T @ targets)
    return NGrams(weights, centre - mean @ weights)

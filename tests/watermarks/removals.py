"""What a thief does to a copy, or to what he was answered, so that no mark be found in it.

Papers: Han et al., "Learning both Weights and Connections for Efficient Neural Networks", NeurIPS
2015 (pruning by magnitude); Hinton et al., "Distilling the Knowledge in a Neural Network", 2015;
Shetty et al., "WARDEN: Multi-Directional Backdoor Watermarks for Embedding-as-a-Service Copyright
Protection", ACL 2024 (clustering, selection, elimination); Shetty, Xu and Lau, "WET", 2025
(paraphrases, of which the mean is taken).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from sklearn.cluster import KMeans

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.attacks.embedding_regression import OnBase
from extproc.redteam.laundering.vectors import Embed
from extproc.redteam.surrogates import ngrams
from extproc.redteam.surrogates.ngrams import NGrams
from tests.watermarks.world import World, unit

CLUSTERS: Final = 20
SUSPICIOUS: Final = 0.1
"""Share of the texts whose neighbours differ most from what they are to the public model."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that the red team made, of any texts."""

    features: Callable[[Sequence[str]], Any]
    """From N texts to [N, d], perhaps sparse."""
    weights: Floats
    offset: Floats

    def __call__(self, texts: Sequence[str]) -> Floats:
        vectors: Floats = self.features(texts) @ self.weights + self.offset
        return vectors


def taken(world: World, copy: Embed) -> Copy:
    """What an attack yielded."""
    match copy:
        case OnBase(_, head):
            return Copy(world.public, head.weights, head.offset)
        case NGrams(weights, offset):
            return Copy(ngrams.counted, weights, offset)
        case _:
            raise TypeError("no copy of the red team's")


def pruned(copy: Copy, share: float) -> Copy:
    """Without the smallest of its weights."""
    sizes = np.abs(copy.weights)
    return replace(copy, weights=np.where(sizes < np.quantile(sizes, share), 0.0, copy.weights))


def fine_tuned(copy: Copy, texts: Sequence[str], groups: Ints, pull: float) -> Copy:
    """Trained on, so that texts of one of the groups [N] come together.

    ``pull``: how little is kept to what was learned before; at 1 as much as the data asks.
    """
    features, vectors = np.asarray(copy.features(texts) @ np.eye(len(copy.weights))), copy(texts)
    wanted = np.array([vectors[groups == group].mean(axis=0) for group in groups]) - vectors
    square = features.T @ features
    held = np.trace(square) / len(square) / pull * np.eye(len(square))
    return replace(copy, weights=copy.weights + np.linalg.solve(square + held, features.T @ wanted))


def distilled(copy: Copy, texts: Sequence[str]) -> Copy:
    """A student that has only what the copy says of other texts."""
    student = ngrams.fit(ngrams.counted(texts), copy(texts))
    return Copy(ngrams.counted, student.weights, student.offset)


def eliminated(served: Floats, public: Floats, components: int) -> Floats:
    """Answers [N, D] without the axes of those that look suspicious beside the public model's."""
    clusters = KMeans(CLUSTERS, n_init=1, random_state=0).fit_predict(served)
    odd = np.zeros(len(served))
    for cluster in range(CLUSTERS):
        own = np.flatnonzero(clusters == cluster)
        apart = unit(served[own]) @ unit(served[own]).T - unit(public[own]) @ unit(public[own]).T
        odd[own] = np.abs(apart).mean(axis=1)
    most = served[np.argsort(-odd)[: max(components, int(SUSPICIOUS * len(served)))]]
    axes = np.linalg.svd(most, full_matrices=False)[2][:components]
    return unit(served - served @ axes.T @ axes)


def shortened(texts: Sequence[str], seed: int) -> list[str]:
    """Each without one of its words, and two of the others the other way round."""
    rng, found = np.random.default_rng(seed), []
    for text in texts:
        words = text.split()
        if len(words) > 2:
            del words[int(rng.integers(len(words)))]
            at = int(rng.integers(len(words) - 1))
            words[at], words[at + 1] = words[at + 1], words[at]
        found.append(" ".join(words))
    return found

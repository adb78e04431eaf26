"""What a thief does to what he was answered, so that no mark be found in a copy of it.

Papers: Shetty et al., "WARDEN: Multi-Directional Backdoor Watermarks for Embedding-as-a-Service
Copyright Protection", ACL 2024 (clustering, selection, elimination); Shetty, Xu and Lau, "WET",
2025 (paraphrases, of which the mean is taken).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from sklearn.cluster import KMeans

from extproc.redteam.answers import Floats
from extproc.redteam.attacks.embedding_regression import OnBase
from extproc.redteam.laundering.maps import LinearCopy, opened
from extproc.redteam.laundering.vectors import Embed
from tests.watermarks.world import World, unit

CLUSTERS: Final = 20
SUSPICIOUS: Final = 0.1
"""Share of the texts whose neighbours differ most from what they are to the public model."""


def taken(world: World, copy: Embed) -> LinearCopy:
    """What an attack yielded, of texts that it was not asked about too."""
    found = opened(copy)
    return replace(found, features=world.public) if isinstance(copy, OnBase) else found


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

"""Isolation forests that nobody has grown."""

import numpy as np

from extproc.detectors.forest import Forest
from extproc.detectors.session import NUMBERS


def by_chance(trees: int = 16, depth: int = 5, ranks: int = 200) -> Forest:
    """That asks about all numbers of a session."""
    rng = np.random.default_rng(1)
    nodes = (1 << depth) - 1
    return Forest(
        rng.integers(0, NUMBERS, (trees, nodes)).astype(np.uint8),
        rng.random((trees, nodes)).astype(np.float32),
        rng.uniform(1, 9, (trees, nodes + 1)).astype(np.float32),
        5.0,
        rng.uniform(0.3, 0.7, ranks).astype(np.float32),
    )

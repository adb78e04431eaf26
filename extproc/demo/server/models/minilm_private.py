"""MiniLM with a private head: what a service sells that has tuned a public model to its own ends.

Rule: the head is linear and never shown; that it can be found by least squares from the public
model's vectors and the service's is why it stands here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from extproc.demo.server.models.embedder import Embedded, Embedder
from extproc.demo.server.models.minilm import DIMENSIONS, unit

KEPT: Final = 256

_SEED: Final = 20_260_101


@dataclass(frozen=True, slots=True)
class PrivateMiniLm:
    """``head`` [384, 256] turns the vectors of ``base`` into those of another space."""

    base: Embedder
    head: NDArray[np.float32]
    name: str = "minilm-private"
    dimensions: int = KEPT

    @classmethod
    def on(cls, base: Embedder) -> Self:
        """Draw the head, the same at every start."""
        drawn = np.random.default_rng(_SEED).normal(0, DIMENSIONS**-0.5, (DIMENSIONS, KEPT))
        return cls(base, drawn.astype(np.float32))

    def embed(self, texts: Sequence[str]) -> Embedded:
        embedded = self.base.embed(texts)
        return Embedded(unit(embedded.vectors @ self.head), embedded.lengths)

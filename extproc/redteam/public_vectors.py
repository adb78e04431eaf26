"""What the public model says of texts, asked once for each.

Rule: it costs an attacker nothing, so it is no part of any budget; it is kept for the life of the
process, up to a bound, because all seeds and policies draw their texts from one pool.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from extproc.redteam.adapters.adapter import EmbeddingAdapter
from extproc.redteam.answers import Floats
from extproc.redteam.client import Client
from extproc.redteam.oracle import BATCH, Budget, Embedder

KEPT: Final = 50_000
"""Vectors; the oldest are dropped."""

PORTION: Final = 4 * BATCH
"""Texts under way at once: all at once, on a busy machine the last would not come in time."""

Place = tuple[str, str, str]
"""Whom was asked, how, and about which text."""


@dataclass(slots=True, eq=False)
class Memory:
    kept: int = KEPT
    _vectors: dict[Place, Floats] = field(default_factory=dict)

    def missing(self, url: str, model: str, texts: Sequence[str]) -> list[str]:
        return [text for text in dict.fromkeys(texts) if (url, model, text) not in self._vectors]

    def keep(self, url: str, model: str, texts: Sequence[str], vectors: Floats) -> None:
        for text, vector in zip(texts, vectors, strict=True):
            self._vectors[url, model, text] = vector
        while len(self._vectors) > self.kept:
            del self._vectors[next(iter(self._vectors))]

    def recall(self, url: str, model: str, texts: Sequence[str]) -> Floats:
        return np.array([self._vectors[url, model, text] for text in texts])


_MEMORY: Final = Memory()
"""The process's own."""


@dataclass(frozen=True, slots=True)
class PublicModel:
    """The model that a victim was made from, as anybody can run it."""

    client: Client
    adapter: EmbeddingAdapter
    memory: Memory = field(default=_MEMORY)

    async def learn(self, texts: Sequence[str]) -> Floats:
        """Vectors of texts [N, D]; raise ConnectionError where the public model does not answer."""
        name = repr(self.adapter)
        fresh = self.memory.missing(self.client.url, name, texts)
        if fresh:
            embedder = Embedder(self.client, self.adapter, Budget(len(fresh)))
            for at in range(0, len(fresh), PORTION):
                part = fresh[at : at + PORTION]
                vectors = await embedder.ask(part, batch=BATCH)
                if not vectors.served.all():
                    raise ConnectionError(f"{self.client.url}: the public model does not answer")
                self.memory.keep(self.client.url, name, part, vectors.values)
        return self.memory.recall(self.client.url, name, texts)

    def known(self, texts: Sequence[str]) -> Floats:
        """Vectors of texts that have been learned; raise KeyError for others."""
        return self.memory.recall(self.client.url, repr(self.adapter), texts)

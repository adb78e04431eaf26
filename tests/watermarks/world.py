"""A public encoder, a secret head on it, and a thief of both within this process.

Rule: the thief is the red team's own attack; only the bytes between are left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Final

import numpy as np
import orjson

from extproc.redteam.adapters.openai_embeddings import OpenAiEmbeddings
from extproc.redteam.answers import Floats
from extproc.redteam.attack import VectorCopy
from extproc.redteam.attacks.embedding_regression import ATTACK
from extproc.redteam.oracle import Budget
from extproc.redteam.request import Request
from extproc.redteam.scene import Scene
from extproc.redteam.victims.victim import EmbeddingVictim
from tests.redteam import planted

_BAG: Final = 192
"""Dimensions of bags of words."""


@dataclass(frozen=True, slots=True, eq=False)
class World:
    encode: Callable[[Sequence[str]], Floats]
    """The public encoder: from N texts to unit vectors [N, D]."""
    head: Floats
    """[D, E]"""
    texts: Sequence[str]
    """The thief's."""
    others: Sequence[str]
    """Which he never asks about."""
    name: str
    """No two worlds of one process have one name: what is public is remembered by it."""
    _kept: dict[str, Floats] = field(default_factory=dict)

    def public(self, texts: Sequence[str]) -> Floats:
        """Each text is encoded once."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._kept]
        if fresh:
            self._kept.update(zip(fresh, self.encode(fresh), strict=True))
        return np.array([self._kept[text] for text in texts], np.float64)

    def private(self, texts: Sequence[str]) -> Floats:
        """What the owner has: the vectors before anything is done to them."""
        return unit(self.public(texts) @ self.head)

    async def stolen(self, serve: planted.Serve, budget: int) -> dict[str, VectorCopy]:
        """Copies by strategy, from answers about the first of the thief's texts."""
        return {
            gain.strategy: gain
            async for gain in ATTACK.run(self._scene(serve, budget))
            if isinstance(gain, VectorCopy)
        }

    def _scene(self, serve: planted.Serve, budget: int) -> Scene:
        base = OpenAiEmbeddings(f"public {self.name}", self.head.shape[0])

        def gateway(request: Request) -> tuple[int, object]:
            asked = orjson.loads(request.body)["input"]
            return 200, _document(serve(self.private(asked), 0, asked))

        def public(request: Request) -> tuple[int, object]:
            return 200, _document(self.public(orjson.loads(request.body)["input"]))

        victim = EmbeddingVictim(
            name=self.name,
            about="",
            adapter=OpenAiEmbeddings("private", self.head.shape[1]),
            dimensions=self.head.shape[1],
            task=self.texts[:budget],
            test=self.others,
            topics=np.zeros(len(self.others), np.int64),
            base=base,
        )
        clients = planted.Planted(gateway, "gateway"), planted.Planted(public, "public")
        return Scene(victim, *clients, Budget(budget), (budget,), np.random.default_rng(0))


def unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Floats = vectors / np.where(lengths == 0, 1, lengths)
    return scaled


@cache
def bags(texts: int = 700) -> World:
    """Bags of words: a second, and no weights."""
    drawn = np.random.default_rng(7).normal(size=(_BAG, _BAG * 2 // 3))
    return World(_bags, drawn, planted.texts(texts), planted.texts(200, seed=1), "bags")


def _bags(texts: Sequence[str]) -> Floats:
    return unit(
        np.array([np.mean([_word(each) for each in text.split()], axis=0) for text in texts])
    )


@cache
def _word(word: str) -> Floats:
    seed = list(sha256(word.encode()).digest()[:8])
    drawn: Floats = np.random.default_rng(seed).normal(size=_BAG)
    return drawn


def _document(vectors: Floats) -> object:
    return {"data": [{"embedding": vector} for vector in vectors.tolist()]}

"""Copy an embedding model with the answers of many keys, each of another tenant.

Paper: Zhuang et al., 2024, "Understanding and Mitigating the Threat of Vec2Text to Dense Retrieval
Systems", SIGIR-AP, propose a secret transformation for each user; Schoenemann, 1966, and Gower,
1975, say how two or many such spaces are brought into one.

The thief asks one text under two keys.  If the vectors are the same, all keys ask about different
texts, and their answers are one heap.  If they differ, half of each key's texts are the same for
all, and the spaces are aligned by these, and by the public model where there is one.  ``budget``
is that of all keys together: each asks its even share.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats
from extproc.redteam.attack import Attack, Family, Gain, Kind, Needs, VectorCopy
from extproc.redteam.attacks import embedding_texts
from extproc.redteam.attacks.embedding_regression import OnBase, whole
from extproc.redteam.oracle import Embedder
from extproc.redteam.public_vectors import PublicModel
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates import alignment, ngrams, ridge
from extproc.redteam.surrogates.alignment import Share

KEYS: Final = 20
PROBES: Final = 2
_SAME: Final = 0.999
"""Cosine of two answers about one text that are the same but for rounding."""


@dataclass(frozen=True, slots=True)
class Pool:
    """What each key got, the texts that are every key's first, in one order for all."""

    texts: Sequence[Sequence[str]]
    served: Sequence[Floats]
    """[n, E] for each key."""
    anchors: int
    """How many first texts are every key's."""

    @property
    def heap(self) -> tuple[list[str], Floats]:
        return [text for texts in self.texts for text in texts], np.concatenate(self.served)

    def aligned(self) -> "Pool":
        """In the first key's space, by the texts that are every key's."""
        return Pool(self.texts, alignment.by_anchors(self.served, self.anchors), self.anchors)


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    oracle, victim = scene.embedder(), scene.embedding
    texts = embedding_texts.draw(victim.task, scene.budgets[-1], scene.rng)
    base = None if victim.base is None else PublicModel(scene.public, victim.base)
    if base is not None:
        await base.learn([*texts, *victim.test])  # the copy is judged on texts it has not seen
    turned = await _turned(oracle, texts[0])
    questions = _questions(texts, scene.budgets[-1], turned=turned)
    answered: list[list[Floats]] = [[] for _ in range(KEYS)]
    asked = 0
    for budget in scene.budgets:
        share = _share(budget)
        fresh = [texts[asked:share] for texts in questions]
        told = await asyncio.gather(*(oracle.ask(each, key=key) for key, each in enumerate(fresh)))
        for parts, vectors in zip(answered, told, strict=True):
            parts.append(vectors.values)
        asked = share
        pool = pooled([texts[:share] for texts in questions], answered, turned=turned)
        if pool is not None:
            for gain in _copies(pool, base, budget, turned=turned):
                yield gain


async def _turned(oracle: Embedder, text: str) -> bool:
    """Whether two keys have spaces of their own."""
    one, other = [await oracle.ask([text], key=key) for key in range(PROBES)]
    return not ridge.cosine(one.values, other.values) > _SAME


def _share(budget: int) -> int:
    return (budget - PROBES) // KEYS


def _questions(texts: Sequence[str], budget: int, *, turned: bool) -> list[list[str]]:
    """What each key asks, in order: every other text is every key's, where spaces are turned."""
    share = _share(budget)
    if not turned:
        return [list(texts[key * share : (key + 1) * share]) for key in range(KEYS)]
    shared, rest = texts[: (share + 1) // 2], texts[(share + 1) // 2 :]
    own = share // 2
    return [
        [shared[at // 2] if at % 2 == 0 else rest[key * own + at // 2] for at in range(share)]
        for key in range(KEYS)
    ]


def pooled(
    texts: Sequence[Sequence[str]], answered: Sequence[Sequence[Floats]], *, turned: bool
) -> Pool | None:
    """What was answered in full: shared texts only where every key was answered; None if nothing
    is left.
    """
    served = embedding_texts.stacked([part for parts in answered for part in parts])
    table = served.reshape(KEYS, len(texts[0]), -1)
    use = np.stack([whole(each) for each in table])
    shared = np.zeros(len(texts[0]), bool)
    if turned:
        shared[::2] = True
    anchors = np.flatnonzero(shared & use.all(axis=0))
    order = [np.concatenate([anchors, np.flatnonzero(~shared & each)]) for each in use]
    if min(map(len, order)) == 0:
        return None
    return Pool(
        [[texts[key][at] for at in places] for key, places in enumerate(order)],
        [table[key][places] for key, places in enumerate(order)],
        len(anchors),
    )


def _copies(
    pool: Pool, base: PublicModel | None, budget: int, *, turned: bool
) -> Iterator[VectorCopy]:
    yield from _fitted(*pool.heap, base, budget, "one heap")
    if not turned:
        return
    yield from _fitted(pool.texts[0], pool.served[0], base, budget, "one key of them")
    if pool.anchors:
        yield from _fitted(*pool.aligned().heap, base, budget, "shared texts")
    if base is not None:
        shares = [
            Share(base.known(texts), served)
            for texts, served in zip(pool.texts, pool.served, strict=True)
        ]
        yield VectorCopy(budget, OnBase(base, alignment.by_map(shares)), "public model")


def _fitted(
    texts: Sequence[str], served: Floats, base: PublicModel | None, budget: int, strategy: str
) -> Iterator[VectorCopy]:
    """One regression on all of it, on the public model where there is one."""
    if base is None:
        yield VectorCopy(budget, ngrams.fit(ngrams.counted(texts), served), strategy)
    else:
        yield VectorCopy(budget, OnBase(base, ridge.chosen(base.known(texts), served)), strategy)


ATTACK: Final = Attack(
    name="embedding-pooling",
    paper="Zhuang et al., SIGIR-AP 2024; Gower, Psychometrika 1975",
    family=Family.VECTORS,
    needs=(Needs.VECTORS, Needs.MANY_KEYS, Needs.TASK_DATA),
    kind=Kind.EMBEDDING,
    run=_run,
    victims=("minilm-private",),
    budgets=(1_000, 3_000),
    keys=KEYS,
    tenants=KEYS,
    linked=False,
    policies=("standard", "rotated"),
)

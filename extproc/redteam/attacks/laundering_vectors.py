"""Steal an embedding model that marks its vectors, and rid the copy of the marks.

Papers: those of the theft, `embedding_regression`, and of the removals,
`extproc.redteam.laundering` (Shetty, Xu and Lau, 2025, "WET", for linear maps above all).

Rule: it knows nothing of marks.  Copies that were taught by what the model says unmarked, which is
asked past the gateway, carry nobody's marks, and are to be called nobody's.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats
from extproc.redteam.attack import Attack, Family, Finding, Gain, Kind, Measure, Needs, VectorCopy
from extproc.redteam.attacks import embedding_texts
from extproc.redteam.attacks.embedding_regression import OnBase
from extproc.redteam.laundering.maps import LinearCopy, distilled, fine_tuned, opened, pruned
from extproc.redteam.laundering.vectors import Embed, Means, cut, rounded, turned
from extproc.redteam.oracle import Budget, Embedder
from extproc.redteam.owner.found import CLEAN, MEASURES, STOLEN, called
from extproc.redteam.public_vectors import PublicModel
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates import ngrams, ridge
from extproc.redteam.surrogates.ridge import cosine

OTHERS: Final = 0.5
"""Texts that the thief has and does not ask about, for each that he does."""
GROUPS: Final = 40
"""Topics, as far as his fine-tuning knows."""
_PULL: Final = 0.1


@dataclass(frozen=True, slots=True)
class _Loot:
    """What a thief has: texts, vectors [N, D] of those that were asked about, and the public
    model.
    """

    asked: list[str]
    others: list[str]
    base: PublicModel
    rng: np.random.Generator

    def copies(self, vectors: Floats) -> Iterator[tuple[str, Embed]]:
        yield "n-grams", ngrams.fit(ngrams.counted(self.asked), vectors)
        head = ridge.chosen(self.base.known(self.asked), vectors)
        yield "on the public model", OnBase(self.base, head)


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    victim, count = scene.embedding, scene.budgets[-1]
    assert victim.base is not None
    pool = victim.task[: count + int(OTHERS * count)]
    texts = embedding_texts.draw(pool, len(pool), scene.rng)
    loot = _Loot(texts[:count], texts[count:], PublicModel(scene.public, victim.base), scene.rng)
    served = await scene.embedder().ask(loot.asked)
    if not served.served.all():
        return
    own = Embedder(scene.public, victim.adapter, Budget(count))
    unmarked = (await own.ask(loot.asked)).values
    if served.values.shape == unmarked.shape:
        yield Finding("served.cosine", cosine(served.values, unmarked))
    await loot.base.learn([*texts, *victim.test])  # copies are judged on texts they have not seen
    for surrogate, copy in loot.copies(served.values):
        for way, laundered in _laundered(loot, copy):
            yield VectorCopy(count, laundered, called(surrogate, way), loot.asked)
    for surrogate, copy in loot.copies(unmarked):
        yield VectorCopy(count, copy, called(surrogate, CLEAN), loot.asked)


def _laundered(loot: _Loot, copy: Embed) -> Iterator[tuple[str, Embed]]:
    means, linear = Means(loot.others, loot.rng), opened(copy)
    yield STOLEN, copy
    yield "rounded to eight bits", rounded(copy, means)
    yield "rotated", turned(copy, means)
    yield "cut to half of the axes", cut(copy, means)
    yield "cut to an eighth of the axes", cut(copy, means, 1 / 8)
    yield "pruned, 50%", pruned(linear, 0.5)
    yield "pruned, 90%", pruned(linear, 0.9)
    yield "fine-tuned on topics", _tuned(loot, linear)
    yield "distilled on what was asked", distilled(copy, loot.asked)
    yield "distilled on other texts", distilled(copy, loot.others)


def _tuned(loot: _Loot, copy: LinearCopy) -> LinearCopy:
    groups = np.arange(len(loot.others)) % GROUPS
    return fine_tuned(copy, loot.others, groups, _PULL)


ATTACK: Final = Attack(
    name="laundering-vectors",
    paper="Liu et al., ACM CCS 2022; Shetty et al. 2025; Jacob et al., CVPR 2018",
    family=Family.OWNERSHIP,
    needs=(Needs.VECTORS, Needs.BASE_MODEL, Needs.TASK_DATA, Needs.OWNER),
    kind=Kind.EMBEDDING,
    run=_run,
    victims=("minilm-private",),
    budgets=(3_000,),
    measures=(
        *MEASURES,
        Measure("served.cosine", "mean cosine of what is served with the model's own vectors"),
    ),
    bystanders=1,
    apart="ownership",
    baseline=False,
    policies=("marked",),
)

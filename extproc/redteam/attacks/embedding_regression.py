"""Copy an embedding model by regression on its answers.

Paper: Liu, Jia, Liu, Gong, 2022, "StolenEncoder: Stealing Pre-trained Encoders in Self-supervised
Learning", ACM CCS: an encoder follows from its vectors.  Where the victim is a public model with a
private head, the head alone is to be learned, and that is a linear map: least squares on a few
hundred pairs.  Without the public model, from n-grams.

What is served may be quantised, turned, cut short or reduced to signs: a turn and a cut are linear
themselves, codes even out over many answers, and signs are fitted as signs.  An answer with fewer
components than others (fidelity fell) is not fitted to.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from extproc.redteam.answers import Bools, Floats
from extproc.redteam.attack import Attack, Family, Gain, Kind, Needs, VectorCopy
from extproc.redteam.attacks import embedding_texts
from extproc.redteam.public_vectors import PublicModel
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates import ngrams, ridge
from extproc.redteam.surrogates.ridge import Linear

_LEAST: Final = 8
"""Answers, below which nothing is fitted."""
_MANY: Final = 1_000
"""Answers, from which on fitting signs as signs beats fitting them as numbers."""


@dataclass(frozen=True, slots=True)
class OnBase:
    """A copy on top of the public model."""

    base: PublicModel
    head: Linear

    def __call__(self, texts: list[str]) -> Floats:
        return self.head(self.base.known(texts))


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    oracle, victim = scene.embedder(), scene.embedding
    most = scene.budgets[-1]
    texts = embedding_texts.draw(victim.task[: most + most // 2], most, scene.rng)
    base = None if victim.base is None else PublicModel(scene.public, victim.base)
    if base is not None:
        await base.learn([*texts, *victim.test])  # the copy is judged on texts it has not seen
    grams = ngrams.counted(texts)
    parts: list[Floats] = []
    for budget in scene.budgets:
        asked = sum(map(len, parts))
        parts.append((await oracle.ask(texts[asked:budget])).values)
        served = embedding_texts.stacked(parts)
        use = whole(served)
        if use.sum() < _LEAST:
            continue
        yield VectorCopy(budget, ngrams.fit(grams[:budget][use], served[use]), "n-grams")
        if base is not None:
            known = base.known([text for text, used in zip(texts, use, strict=False) if used])
            for strategy, head in heads(known, served[use]):
                yield VectorCopy(budget, OnBase(base, head), strategy)


def whole(served: Floats) -> Bools:
    """Which answers [N, D] have all components."""
    return np.array(np.isfinite(served).all(axis=1), bool)


def heads(known: Floats, served: Floats) -> Sequence[tuple[str, Linear]]:
    """Maps of the public model's vectors [N, D] to what was served [N, E], by strategy."""
    found = [("ridge", ridge.chosen(known, served))]
    if is_signs(served) and len(served) >= _MANY:
        found.append(("signs", ridge.of_signs(known, served)))
    return found


def is_signs(served: Floats) -> bool:
    """Whether every answer has components of one size only."""
    sizes = np.abs(served)
    return bool(np.allclose(sizes, sizes[:, :1], rtol=1e-3))


ATTACK: Final = Attack(
    name="embedding-regression",
    paper="Liu et al., ACM CCS 2022; Hoerl and Kennard, Technometrics 1970",
    family=Family.VECTORS,
    needs=(Needs.VECTORS, Needs.BASE_MODEL, Needs.TASK_DATA),
    kind=Kind.EMBEDDING,
    run=_run,
    victims=("minilm-private",),
    quick=("minilm-private",),
    budgets=(100, 300, 1_000, 3_000),
)

"""Tell from a vector which text it was made from, and which words that had.

Papers: Morris, Kuleshov, Shmatikov, Rush, 2023, "Text Embeddings Reveal (Almost) As Much As Text",
EMNLP, write the text again with a trained decoder; Song and Raghunathan, 2020, "Information Leakage
in Embedding Models", ACM CCS, section 4, tell its words.  This is a proxy for the first, without a
decoder: who has the public model and a thousand texts, one of which it was, names that one.  A
decoder also finds texts that are on no list; and what is not named here may yet be found by one.

The attacker learns a linear map between the public model's vectors and the served ones from texts
of his own.  The vectors that he inverts were served to others, and left lying about: to somebody of
the same tenant, or to another tenant, whose space may be turned another way.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.attack import Attack, Family, Finding, Gain, Kind, Measure, Needs
from extproc.redteam.attacks import embedding_texts, word_presence
from extproc.redteam.attacks.embedding_regression import heads, whole
from extproc.redteam.oracle import Budget, Embedder
from extproc.redteam.public_vectors import PublicModel
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates import ridge
from extproc.redteam.surrogates.ridge import Linear
from extproc.redteam.vector_judge import unit

CANDIDATES: Final = 1_000
FOUND: Final = 300
"""Of the candidates: those whose vectors were left lying about."""
_LEAST: Final = 20
"""Answers, below which nothing is fitted."""
_OWNERS: Final = {"own": 0, "other": 1}
"""Keys of those to whom the vectors were served: the attacker's tenant's, and the bystander's."""


@dataclass(frozen=True, slots=True)
class _Texts:
    own: Sequence[str]
    candidates: Sequence[str]
    """The first of them are those that were embedded."""

    @property
    def found(self) -> Sequence[str]:
        return self.candidates[:FOUND]

    @property
    def read(self) -> Sequence[str]:
        """Those of which the attacker learns words by the public model's vectors, which are free:
        of those that were embedded, none.
        """
        return [*self.own, *self.candidates[FOUND:]]


@dataclass(frozen=True, slots=True)
class _Reader:
    """Knows texts by the public model's vectors: candidates [C, D], and how words look in them."""

    candidates: Floats
    words: Sequence[str]
    look: Linear

    @classmethod
    def of(cls, texts: _Texts, base: PublicModel) -> "_Reader":
        words = word_presence.chosen(texts.own)
        look = word_presence.fit(base.known(texts.read), word_presence.present(texts.read, words))
        return cls(base.known(texts.candidates), words, look)


@dataclass(frozen=True, slots=True)
class _Learned:
    """From the answers to the attacker's own texts."""

    heads: Sequence[tuple[str, Linear]]
    """From the public space to the served one, by strategy."""
    back: Linear
    look: Linear
    """From served vectors of length one to words."""

    @classmethod
    def of(cls, public: Floats, served: Floats, has: Floats) -> "_Learned":
        """From public vectors [N, D], answers [N, E] and words [N, W] of the same texts."""
        back = ridge.chosen(unit(served), public)
        return cls(heads(public, served), back, word_presence.fit(served, has))

    def guesses(self, vectors: Floats, candidates: Floats) -> Iterator[tuple[str, Ints]]:
        """Which candidate each of ``vectors`` [M, E] is of: either the candidates are brought to
        the served space, or the vectors back to the public one.
        """
        for strategy, head in self.heads:
            yield strategy, nearest(vectors, head(candidates))
        yield "back", nearest(self.back(unit(vectors)), candidates)

    def likenesses(self, vectors: Floats, look: Linear) -> Iterator[tuple[str, Floats]]:
        """How much each of ``vectors`` [M, E] looks like each word [M, W]."""
        yield "answers", self.look(unit(vectors))
        yield "public model", look(unit(self.back(unit(vectors))))


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    oracle, victim = scene.embedder(), scene.embedding
    base = PublicModel(scene.public, victim.base or victim.adapter)
    drawn = embedding_texts.draw(victim.task, scene.budgets[-1] + CANDIDATES, scene.rng)
    texts = _Texts(drawn[CANDIDATES:], drawn[:CANDIDATES])
    await base.learn(drawn)
    reader = _Reader.of(texts, base)
    stores = [(owner, await _served(scene, texts.found, key)) for owner, key in _OWNERS.items()]
    parts: list[Floats] = []
    for budget in scene.budgets:
        asked = sum(map(len, parts))
        parts.append((await oracle.ask(texts.own[asked:budget])).values)
        served = embedding_texts.stacked(parts)
        use = np.flatnonzero(whole(served))
        if len(use) < _LEAST:
            continue
        mine = [texts.own[at] for at in use.tolist()]
        width = min(served.shape[1], *(store.shape[1] for _, store in stores))
        learned = _Learned.of(
            base.known(mine), served[use, :width], word_presence.present(mine, reader.words)
        )
        for owner, store in stores:
            for finding in _findings(learned, reader, texts.found, store[:, :width]):
                yield replace(finding, measure=f"{finding.measure}.{owner}", budget=budget)


async def _served(scene: Scene, texts: Sequence[str], key: int) -> Floats:
    """What others were served; it is no part of the attacker's budget."""
    others = Embedder(scene.client, scene.embedding.adapter, Budget(len(texts)))
    return (await others.ask(texts, key=key)).values


def _findings(
    learned: _Learned, reader: _Reader, texts: Sequence[str], store: Floats
) -> Iterator[Finding]:
    """What the vectors [N, E] that were served for texts tell; one that was refused, nothing."""
    here = np.flatnonzero(whole(store))
    if not len(here):
        return
    vectors = store[here]
    for strategy, guessed in learned.guesses(vectors, reader.candidates):
        share = float(np.sum(guessed == here)) / len(texts)
        yield Finding("identified", share, strategy=strategy)
    has = word_presence.present([texts[at] for at in here.tolist()], reader.words)
    for strategy, likeness in learned.likenesses(vectors, reader.look):
        told = word_presence.mean_auc(likeness, has)
        yield Finding("words", told, strategy=strategy, note=f"{len(reader.words)} words")


def nearest(vectors: Floats, candidates: Floats) -> Ints:
    """The candidate [M] with the highest cosine, after the candidates' mean is taken off both."""
    mean = candidates.mean(axis=0)
    likeness = unit(vectors - mean) @ unit(candidates - mean).T
    found: Ints = likeness.argmax(axis=1)
    return found


ATTACK: Final = Attack(
    name="embedding-inversion",
    paper="Morris et al., EMNLP 2023; Song and Raghunathan, ACM CCS 2020",
    family=Family.VECTORS,
    needs=(Needs.VECTORS, Needs.BASE_MODEL, Needs.TASK_DATA),
    kind=Kind.EMBEDDING,
    run=_run,
    victims=("minilm-private",),
    budgets=(100, 300, 1_000),
    measures=(
        Measure("identified.own", "share of the own tenant's vectors whose text was told of 1,000"),
        Measure("identified.other", "share of another tenant's whose text was told of 1,000"),
        Measure("words.own", "how well an own tenant's vector tells whether its text had a word"),
        Measure("words.other", "how well another tenant's tells whether its text had a word"),
    ),
    bystanders=1,
    policies=("standard", "coarse", "rotated"),
)

"""How soon a thief of texts' embeddings is told from those who mean well.

Papers: Krishna, Tomar, Parikh, Papernot and Iyyer, 2020, "Thieves on Sesame Street! Model
Extraction of BERT-based APIs", ICLR (words in no order); Kesarwani, Mukhoty, Arya and Mehta, 2018,
"Model Extraction Warning in MLaaS Paradigm", ACSAC (texts of all there is); Douceur, 2002, "The
Sybil Attack", IPTPS (many keys).

As `detection`, with texts.  Customers ask about a few documents each, which no thief has.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats, Vectors
from extproc.redteam.attack import Attack, Family, Gain, Kind, Needs, VectorCopy
from extproc.redteam.attacks import embedding_texts
from extproc.redteam.attacks.thief import ASKED, KEYS, MEASURES, Thief, alarms, beside
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates import ngrams

CUSTOMERS: Final = 12
OF_EACH: Final = 60
"""Texts that a customer asks about."""
TOPICS: Final = 3
"""Documents that these stand in, at most."""
_LEAST: Final = 2
"""Answers below which nothing is fitted."""


@dataclass(slots=True, kw_only=True)
class _Thief(Thief):
    scene: Scene
    texts: list[str] = field(default_factory=list)
    """Those that were answered in full."""
    vectors: list[Floats] = field(default_factory=list)

    async def answered(self, some: Sequence[str], key: int) -> tuple[bool, bool]:
        """In full is with all dimensions."""
        vectors = await self.scene.embedder().ask(some, key=key)
        full = _is_full(self.scene, vectors)
        if full:
            self.texts += some
            self.vectors += list(vectors.values)
        return bool(vectors.served[0]), full

    def copy(self) -> Callable[[list[str]], Floats]:
        if len(self.texts) < _LEAST:
            return lambda texts: np.ones((len(texts), self.scene.embedding.dimensions))
        return ngrams.fit(ngrams.counted(self.texts), np.array(self.vectors))


def _is_full(scene: Scene, vectors: Vectors) -> bool:
    return bool(vectors.served[0]) and vectors.values.shape[1] == scene.embedding.dimensions


async def _all(thief: _Thief) -> None:
    await thief.ask(embedding_texts.draw(thief.scene.embedding.task, ASKED, thief.rng))


async def _salad(thief: _Thief) -> None:
    """As many words as a text has, of all texts."""
    task = thief.scene.embedding.task
    words = sorted({word for text in task for word in text.split()})
    lengths = [len(task[at].split()) for at in thief.rng.integers(len(task), size=ASKED)]
    await thief.ask([" ".join(thief.rng.choice(words, length)) for length in lengths])


THIEVES: Final[Mapping[str, tuple[Callable[[_Thief], Awaitable[None]], int]]] = {
    "texts of all documents": (_all, 1),
    f"texts of all documents, {KEYS} keys": (_all, KEYS),
    "words in no order": (_salad, 1),
}
"""Each with how many keys it has, which are its alone."""
_ALL_KEYS: Final = sum(keys for _, keys in THIEVES.values())


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    thieves = dict(_thieves(scene))
    rngs = scene.rng.spawn(CUSTOMERS)
    taken = await beside(
        [partial(THIEVES[name][0], thief) for name, thief in thieves.items()],
        [_taken(scene, _ALL_KEYS + at, rng) for at, rng in enumerate(rngs)],
    )
    for name, thief in thieves.items():
        for finding in thief.findings(name):
            yield finding
        yield VectorCopy(ASKED, thief.copy(), name)
    for finding in alarms(["topics"] * CUSTOMERS, taken):
        yield finding


def _thieves(scene: Scene) -> Iterator[tuple[str, _Thief]]:
    first = 0
    for name, (_, count) in THIEVES.items():
        keys, rng = range(first, first + count), scene.rng.spawn(1)[0]
        yield name, _Thief(keys, rng, scene=scene)
        first += count


async def _taken(scene: Scene, key: int, rng: np.random.Generator) -> bool:
    """Whether a customer was refused anything, or got less than all dimensions."""
    victim, taken = scene.embedding, False
    topics = rng.choice(np.unique(victim.topics), int(rng.integers(1, TOPICS + 1)), replace=False)
    own = np.flatnonzero(np.isin(victim.topics, topics))
    for place in rng.choice(own, min(OF_EACH, len(own)), replace=False):
        vectors = await scene.embedder().ask([victim.test[place]], key=key)
        taken |= not _is_full(scene, vectors)
    return taken


ATTACK: Final = Attack(
    name="detection-texts",
    paper="Krishna et al., ICLR 2020; Kesarwani et al., ACSAC 2018; Douceur, IPTPS 2002",
    family=Family.DETECTION,
    needs=(Needs.VECTORS, Needs.TASK_DATA, Needs.MANY_KEYS),
    kind=Kind.EMBEDDING,
    run=_run,
    victims=("minilm-private",),
    budgets=(ASKED * len(THIEVES) + CUSTOMERS * OF_EACH,),
    measures=MEASURES,
    keys=_ALL_KEYS,
    tenants=_ALL_KEYS,
    linked=False,
    bystanders=CUSTOMERS,
    apart="detection",
    policies=("standard", "watched-texts"),
    quick_policies=("watched-texts",),
)

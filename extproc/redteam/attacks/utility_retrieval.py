"""What a customer keeps of an embedding model under a policy: how well it finds.

Sources: Järvelin and Kekäläinen, 2002, "Cumulated gain-based evaluation of IR techniques" (nDCG);
Thakur et al., 2021, "BEIR" (nDCG and recall at 10).  No attack: a customer embeds its texts, asks
each for the ones nearest to it, and wants those of the same topic, and those that the model itself
would find.
"""

from collections.abc import AsyncIterator
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.attack import Attack, Family, Finding, Gain, Kind, Measure, Needs
from extproc.redteam.attacks.utility import LATENCIES, timed
from extproc.redteam.measures.ranking import ndcg
from extproc.redteam.oracle import Budget, Embedder
from extproc.redteam.scene import Scene
from extproc.redteam.vector_judge import recall, unit

FOUND: Final = 10
_TIMED: Final = 40


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    victim = scene.embedding
    texts = list(victim.test)
    bare = Embedder(scene.public, victim.adapter, Budget(len(texts)))
    vectors, own = await scene.embedder().ask(texts), await bare.ask(texts)
    if not vectors.served.all():
        return
    served, exact = unit(vectors.values), unit(own.values)
    yield Finding("ndcg_at_10", _gain(served, victim.topics))
    yield Finding("ndcg_at_10.bare", _gain(exact, victim.topics))
    yield Finding("recall_at_10", recall(served, exact, FOUND))
    requests = [victim.adapter.request(texts[at : at + 1], 0) for at in range(_TIMED)]
    for where, client in (("served", scene.client), ("bare", scene.public)):
        for finding in await timed(client, requests, where):
            yield finding


def _gain(vectors: Floats, topics: Ints) -> float:
    """Of each text among all others; those of its topic are relevant."""
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -np.inf)
    relevant = topics[:, None] == topics[None, :]
    np.fill_diagonal(relevant, val=False)
    return ndcg(likeness, relevant, FOUND)


ATTACK: Final = Attack(
    name="utility-retrieval",
    paper="Thakur et al., NeurIPS 2021",
    family=Family.CONTROL,
    needs=(Needs.NOTHING,),
    kind=Kind.EMBEDDING,
    run=_run,
    victims=("minilm",),
    budgets=(2_000,),
    measures=(
        Measure("ndcg_at_10", "how well texts of the same topic are found", worse="low"),
        Measure("ndcg_at_10.bare", "the same by the model's own vectors", worse="low"),
        Measure("recall_at_10", "share of the model's own ten nearest texts found", worse="low"),
        *LATENCIES,
    ),
    alone=True,
)

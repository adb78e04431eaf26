"""Rid a copy of marks that may be in it, and see what is lost by that.

Papers: those of the removals, `extproc.redteam.laundering`.  The thief keeps some of the victim's
answers back: how much worse a copy is on these after a removal is the price of that removal.  Where
it is nothing, a mark is worth no more than it survives the removal.
"""

from collections.abc import AsyncIterator
from typing import Final

import numpy as np

from extproc.redteam.attack import Attack, Family, Finding, Gain, Kind, Measure, Needs
from extproc.redteam.attacks import embedding_texts
from extproc.redteam.attacks.embedding_regression import OnBase
from extproc.redteam.laundering import labels, vectors
from extproc.redteam.policy_choice import BASELINE
from extproc.redteam.public_vectors import PublicModel
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates import ridge
from extproc.redteam.surrogates.choice import Chooser
from extproc.redteam.surrogates.choice import Family as Surrogate
from extproc.redteam.surrogates.gathered import Gathered
from extproc.redteam.vector_judge import aligned_cosine, unit

OTHERS: Final = 3_000
"""Inputs that the victim is not asked about, and the copy is."""
_POOL: Final = 4_500
"""Texts; other attacks ask about these too, of which the victim's server knows the answers."""


async def _of_classifier(scene: Scene) -> AsyncIterator[Gain]:
    target, count = scene.target, scene.budgets[-1]
    inputs = scene.rng.permutation(target.task)
    own, others = inputs[:count], inputs[count : count + OTHERS]
    answers = await scene.classifier().ask(own)
    learnt = Gathered.nothing(target.dimensions, target.classes).with_answers(own, answers)
    kept_back = len(learnt) // 5
    if not kept_back:
        return
    held, truth = learnt.inputs[:kept_back], learnt.labels[:kept_back]
    chooser = Chooser(target.low, target.high, scene.rng, (Surrogate.PERCEPTRON,))
    copy = chooser.fit(_after(learnt, kept_back))
    means = labels.Means(others, target.low, target.high, target.classes, scene.rng)
    stolen = np.mean(copy(held) == truth)
    yield Finding("held.as_stolen", stolen)
    for name, remove in labels.REMOVALS.items():
        yield Finding(f"lost.{name}", stolen - np.mean(remove(copy, means)(held) == truth))


def _after(gathered: Gathered, place: int) -> Gathered:
    return Gathered(
        gathered.inputs[place:],
        gathered.labels[place:],
        gathered.scores[place:],
        gathered.scored[place:],
    )


async def _of_embedding(scene: Scene) -> AsyncIterator[Gain]:
    """Half of the texts are kept back: a rotation is found on three quarters of them, and these
    must be more than the dimensions.
    """
    victim, count = scene.embedding, scene.budgets[-1]
    assert victim.base is not None
    texts = embedding_texts.draw(victim.task[:_POOL], count, scene.rng)
    served = await scene.embedder().ask(texts)
    base = PublicModel(scene.public, victim.base)
    known = await base.learn(texts)
    held, truth = texts[count // 2 :], unit(served.values[count // 2 :])
    if not served.served.all():
        return
    copy = OnBase(base, ridge.chosen(known[: count // 2], served.values[: count // 2]))
    means = vectors.Means(texts[: count // 2], scene.rng)
    stolen = aligned_cosine(unit(copy(held)), truth)
    yield Finding("held.as_stolen", stolen)
    for name, remove in vectors.REMOVALS.items():
        left = aligned_cosine(unit(remove(copy, means)(held)), truth)
        yield Finding(f"lost.{name}", stolen - left)


LABELS: Final = Attack(
    name="laundering",
    paper="Lukas et al., IEEE S&P 2022; Cohen et al., ICML 2019",
    family=Family.COPY,
    needs=(Needs.TASK_DATA, Needs.LABELS),
    kind=Kind.CLASSIFIER,
    run=_of_classifier,
    victims=("digits",),
    budgets=(1_000,),
    measures=(
        Measure("held.as_stolen", "share of inputs kept back of which the copy says the same"),
        Measure("lost.distilled", "what of it is lost by teaching a forest with it", worse="low"),
        Measure("lost.smoothed", "what of it is lost by a vote of neighbours", worse="low"),
    ),
    policies=(BASELINE,),
)
VECTORS: Final = Attack(
    name="laundering-vectors",
    paper="Shetty et al. 2025; Jacob et al., CVPR 2018",
    family=Family.VECTORS,
    needs=(Needs.VECTORS, Needs.BASE_MODEL, Needs.TASK_DATA),
    kind=Kind.EMBEDDING,
    run=_of_embedding,
    victims=("minilm-private",),
    budgets=(1_000,),
    measures=(
        Measure("held.as_stolen", "mean cosine on texts kept back, after the best rotation"),
        Measure("lost.rounded", "what of it is lost by rounding to eight bits", worse="low"),
        Measure("lost.cut", "what of it is lost with half of the dimensions", worse="low"),
        Measure("lost.turned", "what of it is lost by a secret rotation", worse="low"),
    ),
    policies=(BASELINE,),
)

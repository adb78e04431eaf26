"""Distil from natural inputs and nothing but labels, with a share for each label.

Paper: Correia-Silva, Berriel, Badue, de Souza and Oliveira-Santos, 2018, "Copycat CNN: Stealing
Knowledge by Persuading Confession with Random Non-Labeled Data", IJCNN, section III: stolen hard
labels of natural images, of which each class gets as many by repeating those that are rare.
"""

from collections.abc import AsyncIterator
from typing import Final

from extproc.redteam.attack import BUDGETS, Attack, Family, Gain, Kind, Needs
from extproc.redteam.attacks.from_pool import distilled
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates.choice import Chooser
from extproc.redteam.surrogates.choice import Family as Surrogate


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    target = scene.target
    chooser = Chooser(
        target.low,
        target.high,
        scene.rng.spawn(1)[0],
        families=(Surrogate.PERCEPTRON,),
        readings=("labels",),
        balanced=True,
    )
    async for copy in distilled(scene, scene.rng.permutation(target.natural), chooser):
        yield copy


ATTACK: Final = Attack(
    name="copycat",
    paper="Correia-Silva et al., IJCNN 2018",
    family=Family.COPY,
    needs=(Needs.OTHER_DATA, Needs.LABELS),
    kind=Kind.CLASSIFIER,
    run=_run,
    victims=("digits", "digits-mlp"),
    budgets=(*BUDGETS, 10_000),
)

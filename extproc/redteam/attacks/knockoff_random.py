"""Distil from natural inputs of another kind, in any order.

Paper: Orekondy, Schiele and Fritz, 2019, "Knockoff Nets: Stealing Functionality of Black-Box
Models", CVPR, section 4.1.2, the random strategy.
"""

from collections.abc import AsyncIterator
from typing import Final

from extproc.redteam.attack import BUDGETS, Attack, Family, Gain, Kind, Needs
from extproc.redteam.attacks.from_pool import distilled
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates.choice import Chooser


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    target = scene.target
    chooser = Chooser(target.low, target.high, scene.rng.spawn(1)[0])
    async for copy in distilled(scene, scene.rng.permutation(target.natural), chooser):
        yield copy


ATTACK: Final = Attack(
    name="knockoff-random",
    paper="Orekondy et al., CVPR 2019, random strategy",
    family=Family.COPY,
    needs=(Needs.OTHER_DATA, Needs.LABELS),
    kind=Kind.CLASSIFIER,
    run=_run,
    victims=("digits", "digits-mlp"),
    budgets=(*BUDGETS, 10_000, 30_000),
)

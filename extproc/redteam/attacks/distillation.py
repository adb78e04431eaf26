"""Distil from inputs like the model's own: the thief who has data and lacks only the model.

Paper: Hinton, Vinyals and Dean, 2015, "Distilling the Knowledge in a Neural Network", section 2,
turned against the teacher as in Jagielski, Carlini, Berthelot, Kurakin and Papernot, 2020, "High
Accuracy and High Fidelity Extraction of Neural Networks", USENIX Security, section 4.
"""

from collections.abc import AsyncIterator
from typing import Final

import numpy as np

from extproc.redteam.attack import BUDGETS, POLICIES, Attack, Family, Gain, Kind, Needs
from extproc.redteam.attacks.from_pool import distilled
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates.choice import Chooser

REAL: Final = 200
"""Rows of the task's data that come first: the real ones do."""


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    target = scene.target
    chooser = Chooser(target.low, target.high, scene.rng.spawn(1)[0], typical=REAL)
    # A thief's real inputs are asked about before what was made from them.
    real, made = target.task[:REAL], target.task[REAL:]
    pool = np.concatenate([scene.rng.permutation(real), scene.rng.permutation(made)])
    async for copy in distilled(scene, pool, chooser):
        yield copy


ATTACK: Final = Attack(
    name="distillation",
    paper="Hinton et al. 2015; Jagielski et al., USENIX Security 2020",
    family=Family.COPY,
    needs=(Needs.TASK_DATA, Needs.LABELS),
    kind=Kind.CLASSIFIER,
    run=_run,
    victims=("digits", "digits-mlp", "digits-forest", "cancer", "magika"),
    quick=("digits",),
    budgets=(*BUDGETS, 10_000),
    policies=(*POLICIES, "metered"),
)

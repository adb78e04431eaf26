"""Distil from natural inputs of another kind, first those the copy is least sure of.

Paper: Pal et al., 2020, "ActiveThief: Model Extraction Using Active Learning and Unannotated Public
Data", AAAI, section 3.2, uncertainty: the entropy of what the copy holds likely (Lewis and Gale,
1994, "A Sequential Algorithm for Training Text Classifiers").
"""

from collections.abc import AsyncIterator
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.attack import Attack, Family, Gain, Kind, Needs
from extproc.redteam.attacks.selecting import selected
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates.pupil import Pupil


def least_sure(pupil: Pupil, inputs: Floats, count: int) -> Ints:
    """Places of those of the highest entropy."""
    likely = pupil.likely(inputs).mean(axis=0)
    entropy = -(likely * np.log(np.maximum(likely, 1e-9))).sum(axis=1)
    return np.argsort(-entropy, kind="stable")[:count]


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    async for copy in selected(scene, scene.target.natural, least_sure):
        yield copy


ATTACK: Final = Attack(
    name="active-entropy",
    paper="Pal et al., AAAI 2020 (ActiveThief), uncertainty",
    family=Family.COPY,
    needs=(Needs.OTHER_DATA, Needs.LABELS),
    kind=Kind.CLASSIFIER,
    run=_run,
    victims=("digits-mlp",),
)

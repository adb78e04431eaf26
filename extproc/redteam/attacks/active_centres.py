"""Distil from natural inputs of another kind, spread as widely as the copy sees them.

Paper: Pal et al., 2020, "ActiveThief: Model Extraction Using Active Learning and Unannotated Public
Data", AAAI, section 3.2, k-centre: greedy, among what the copy holds likely.
"""

from collections.abc import AsyncIterator
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.attack import Attack, Family, Gain, Kind, Needs
from extproc.redteam.attacks.selecting import selected, spread
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates.pupil import Pupil


def widest(pupil: Pupil, inputs: Floats, count: int) -> Ints:
    """Places of inputs far from each other in what the copy holds likely."""
    likely = pupil.likely(inputs).mean(axis=0).astype(np.float64)
    return spread(likely, count, 0)


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    async for copy in selected(scene, scene.target.natural, widest):
        yield copy


ATTACK: Final = Attack(
    name="active-centres",
    paper="Pal et al., AAAI 2020 (ActiveThief), k-centre",
    family=Family.COPY,
    needs=(Needs.OTHER_DATA, Needs.LABELS),
    kind=Kind.CLASSIFIER,
    run=_run,
    victims=("digits-mlp",),
)

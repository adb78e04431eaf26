"""Distil from natural inputs of another kind, those near the copy's boundaries, spread widely.

Paper: Pal et al., 2020, "ActiveThief: Model Extraction Using Active Learning and Unannotated Public
Data", AAAI, section 3.2, DFAL with k-centre, their best: of the inputs that the least change would
give another label (Ducoffe and Precioso, 2018, "Adversarial Active Learning for Deep Networks"),
those far from each other.  The change is DeepFool's first step: the difference of the two highest
logits over the length of its slope.
"""

from collections.abc import AsyncIterator
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.attack import Attack, Family, Gain, Kind, Needs
from extproc.redteam.attacks.selecting import selected, spread
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates.pupil import Pupil

_NEAR: Final = 2
"""Inputs near a boundary for each that is asked about."""


def change(pupil: Pupil, inputs: Floats) -> Floats:
    """About how far each of inputs [n, d] is from the nearest boundary, in parts of ranges."""
    logits = pupil.logits(inputs)
    order = np.argsort(logits, axis=-1)
    eye = np.eye(logits.shape[-1], dtype=np.float32)
    difference = eye[order[..., -1]] - eye[order[..., -2]]
    apart = (logits * difference).sum(axis=(0, 2))
    slope = pupil.slope(inputs, difference) * (pupil.high - pupil.low)
    distance: Floats = apart / np.maximum(np.linalg.norm(slope, axis=1), 1e-9)
    return distance


def nearest_and_widest(pupil: Pupil, inputs: Floats, count: int) -> Ints:
    """Places of inputs near a boundary and far from each other."""
    near = np.argsort(change(pupil, inputs), kind="stable")[: _NEAR * count]
    likely = pupil.likely(inputs[near]).mean(axis=0).astype(np.float64)
    chosen: Ints = near[spread(likely, count, 0)]
    return chosen


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    async for copy in selected(scene, scene.target.natural, nearest_and_widest):
        yield copy


ATTACK: Final = Attack(
    name="active-boundary",
    paper="Pal et al., AAAI 2020 (ActiveThief), DFAL with k-centre",
    family=Family.COPY,
    needs=(Needs.OTHER_DATA, Needs.LABELS),
    kind=Kind.CLASSIFIER,
    run=_run,
    victims=("digits-mlp",),
)

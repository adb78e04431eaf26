"""Grow a few inputs into many along the copy's own slopes.

Paper: Papernot, McDaniel, Goodfellow, Jha, Celik and Swami, 2017, "Practical Black-Box Attacks
against Machine Learning", AsiaCCS, sections 4.2 and 5.2, algorithm 1: from each input a step is
taken in the sign of the slope of the label that the victim gave it, the results are asked about,
and the copy is trained on; the step's sign alternates, and after some rounds a reservoir bounds
how many inputs a round adds.
"""

from collections.abc import AsyncIterator
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.attack import Attack, Copy, Family, Gain, Kind, Needs
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates.choice import Chooser
from extproc.redteam.surrogates.gathered import Gathered
from extproc.redteam.surrogates.pupil import Pupil

SEEDS: Final = 100
"""Inputs like the model's own that it begins with; the first rows of the task's data are real."""
STEP: Final = 0.1
"""Of each input's range."""
TURN: Final = 3
"""Rounds after which the step's sign turns (periodic step size)."""
RESERVOIR: Final = 400
"""Inputs that a round adds at most."""


def stepped(pupil: Pupil, gathered: Gathered, rows: Ints, by: float) -> Floats:
    """From places ``rows`` of what was gathered, one step each, within bounds."""
    inputs, labels = gathered.inputs[rows], gathered.labels[rows]
    likely = pupil.likely(inputs)
    # The slope of the likelihood of the given label, in the logits.
    own = np.take_along_axis(likely, labels[None, :, None], axis=2)
    slope = -likely * own
    np.put_along_axis(slope, np.broadcast_to(labels[None, :, None], own.shape), own - own**2, 2)
    moved = inputs + by * (pupil.high - pupil.low) * np.sign(pupil.slope(inputs, slope))
    within: Floats = np.clip(moved, pupil.low, pupil.high)
    return within


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    oracle, target = scene.classifier(), scene.target
    chooser = Chooser(target.low, target.high, scene.rng.spawn(1)[0], typical=SEEDS)
    pupil = Pupil(target.low, target.high, scene.rng.spawn(1)[0])
    seeds = scene.rng.permutation(target.task[: 2 * SEEDS])[: min(SEEDS, scene.budgets[0])]
    gathered = Gathered.nothing(target.dimensions, target.classes)
    gathered = gathered.with_answers(seeds, await oracle.ask(seeds))
    asked, turn = len(seeds), 0
    for budget in scene.budgets:
        while asked < budget and len(gathered):
            pupil.learn(gathered)
            count = min(len(gathered), RESERVOIR, budget - asked)
            rows = scene.rng.permutation(len(gathered))[:count]
            fresh = stepped(pupil, gathered, rows, STEP * (-1) ** (turn // TURN))
            gathered = gathered.with_answers(fresh, await oracle.ask(fresh))
            asked, turn = asked + count, turn + 1
        yield Copy(budget, chooser.fit(gathered))


ATTACK: Final = Attack(
    name="jacobian",
    paper="Papernot et al., AsiaCCS 2017",
    family=Family.COPY,
    needs=(Needs.TASK_DATA, Needs.LABELS),
    kind=Kind.CLASSIFIER,
    run=_run,
    victims=("digits", "digits-mlp"),
)

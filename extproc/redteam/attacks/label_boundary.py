"""Find a linear model's boundaries by their labels alone, and fit hyperplanes to them.

Paper: Lowd, Meek, 2005, "Adversarial Learning", KDD (line searches between witnesses of different
sign); Tramer, Zhang, Juels, Reiter, Ristenpart, 2016, "Stealing Machine Learning Models via
Prediction APIs", USENIX Security, section 6 (line-search and adaptive retraining, for several
classes).

Rule: it asks for inputs like the task's and for far ones, halves the way between those of different
labels, all lines of a round at once, fits to what it has found, and draws the next witnesses where
the fit is least sure.
"""

from collections.abc import AsyncIterator
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats
from extproc.redteam.attack import Attack, Copy, Family, Gain, Kind, Needs
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates import boundary_regression
from extproc.redteam.surrogates.softmax_regression import SoftmaxRegression
from extproc.redteam.walks.ledger import Ledger
from extproc.redteam.walks.line_search import Crossings, pairs, search
from extproc.redteam.walks.unsaturated import Box, around, unsure

WITNESSES: Final = 0.5
"""Of the questions of a round; the others are of line searches."""
STEPS: Final = 6
"""Halvings of a line."""
GROWTH: Final = 1.0
"""Questions of a round, against all before."""


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    target, ledger = scene.target, Ledger(scene.classifier())
    box = Box(target.low, target.high)
    crossings, copy = Crossings.none(target.dimensions), None
    for budget in scene.budgets:
        while ledger.asked < budget:
            room = min(budget - ledger.asked, max(20, int(GROWTH * ledger.asked)))
            await ledger.labels(_witnesses(scene, room, box, copy))
            open_ = pairs(scene.rng, room // 2 // STEPS, ledger.inputs, ledger.answered)
            crossings = crossings.and_(await search(ledger, open_, STEPS))
            if len(ledger.answered):
                copy = _fitted(ledger, crossings, target.classes, copy)
        if copy is not None:
            yield Copy(budget, copy, "labels and lines")


def _fitted(
    ledger: Ledger, crossings: Crossings, classes: int, start: SoftmaxRegression | None
) -> SoftmaxRegression:
    return boundary_regression.fit(ledger.inputs, ledger.answered, crossings, classes, start)


def _witnesses(scene: Scene, room: int, box: Box, copy: SoftmaxRegression | None) -> Floats:
    """For half a round: inputs like the task's, and far ones or unsure ones."""
    lines = STEPS * (room // 2 // STEPS)
    count = room - lines if copy is not None else max(room - lines, room // 2)
    known = scene.rng.integers(len(scene.target.task), size=(2, count // 2))
    share = scene.rng.random((count // 2, 1))
    mixed = share * scene.target.task[known[0]] + (1 - share) * scene.target.task[known[1]]
    rest = count - len(mixed)
    if copy is None:
        return np.concatenate([mixed, around(scene.rng, rest, box.middle, box, 1.0)])
    return np.concatenate([mixed, unsure(scene.rng, rest, copy, box)])


ATTACK: Final = Attack(
    name="label-boundary",
    paper="Lowd and Meek, KDD 2005; Tramèr et al., USENIX Security 2016",
    family=Family.COPY,
    needs=(Needs.LABELS, Needs.TASK_DATA),
    kind=Kind.CLASSIFIER,
    run=_run,
    victims=("digits",),
)

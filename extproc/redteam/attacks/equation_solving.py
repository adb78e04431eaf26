"""Solve for the weights of a softmax regression, from whatever is told of its scores.

Paper: Tramer, Zhang, Juels, Reiter, Ristenpart, 2016, "Stealing Machine Learning Models via
Prediction APIs", USENIX Security: section 4.1 (the logarithm of a ratio of two probabilities is
linear in the input, so that d+1 answers in general position give all weights) and section 6 (from
rounded scores and from labels, asking where the copy is least sure).

Rule: it needs no data.  It asks in rounds, each about half as large as all before; the next
questions lie where the copy so far says that all classes tie, and among those for labels, where
the first two do.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Final

import numpy as np

from extproc.redteam.answers import Answers, Floats
from extproc.redteam.attack import POLICIES, Attack, Copy, Family, Gain, Kind, Needs
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates.linear_model import resolve, scored, solve
from extproc.redteam.surrogates.softmax_regression import SoftmaxRegression
from extproc.redteam.walks.unsaturated import Box, around, radius, tie, unsure

PROBES: Final = (0.02, 0.15, 0.3, 0.5, 0.7)
"""Where on the box's diagonal the first questions lie: weights that agree in sign make one class
certain in the middle, and another one elsewhere."""
SCATTER: Final = (0.1, 1.0)
"""How far off the diagonal, in halves of the box: half of them near, half of them far."""
FIRST: Final = 10
"""Questions of the first round."""
GROWTH: Final = 0.5
"""Questions of each further round, against all before."""


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    oracle, target = scene.classifier(), scene.target
    box = Box(target.low, target.high)
    asked, answers = np.zeros((0, target.dimensions)), Answers.refused(0)
    copy: SoftmaxRegression | None = None
    for count, due in _rounds(scene.budgets):
        fresh = _questions(scene.rng, count, box, copy, answers)
        answers = Answers.joined([answers, await oracle.ask(fresh)], target.classes)
        asked = np.concatenate([asked, fresh])
        if due and (best := solve(asked, answers, target.classes)) is not None:
            yield Copy(due, best, "scores" if scored(answers).any() else "labels")
            copy = best
        else:
            copy = resolve(asked, answers, target.classes, copy)


def _rounds(budgets: Sequence[int]) -> Iterator[tuple[int, int]]:
    """How many questions each round has, and the budget that is reached by it or 0."""
    asked = 0
    for budget in budgets:
        while asked < budget:
            count = min(max(FIRST, int(GROWTH * asked)), budget - asked)
            asked += count
            yield count, budget if asked == budget else 0


def _questions(
    rng: np.random.Generator,
    count: int,
    box: Box,
    copy: SoftmaxRegression | None,
    answers: Answers,
) -> Floats:
    if copy is None:
        places = np.resize(PROBES, count)[:, None]
        scatter = np.repeat(SCATTER, len(PROBES))[np.arange(count) % (2 * len(PROBES))][:, None]
        sides = rng.uniform(-1, 1, (count, len(box.low)))
        return box.clip(box.low + box.half * (2 * places + scatter * sides))
    if scored(answers).any():
        return around(rng, count, tie(copy, box), box, radius(copy, box))
    return unsure(rng, count, copy, box)


ATTACK: Final = Attack(
    name="equation-solving",
    paper="Tramèr et al., USENIX Security 2016",
    family=Family.COPY,
    needs=(Needs.LABELS,),
    kind=Kind.CLASSIFIER,
    run=_run,
    victims=("digits", "cancer"),
    quick=("digits",),
    policies=("full", *POLICIES, "metered"),
    budgets=(31, 65, 100, 300, 1_000, 3_000, 10_000),
)

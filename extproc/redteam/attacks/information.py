"""Ask about the task's own inputs, and count how much the answers tell.

Paper: none; the three numbers are those of measures/information.py.  No attack: it is what every
user of the API learns from an answer, in bits, under each policy.
"""

from collections.abc import AsyncIterator
from math import log2
from typing import Final

from extproc.redteam.attack import Attack, Family, Finding, Gain, Kind, Measure, Needs
from extproc.redteam.measures.information import distinct, entropy, grid
from extproc.redteam.scene import Scene

ASKED: Final = 1_000

MEASURES: Final = (
    Measure("bits.entropy", "entropy of the answers that came", "bits"),
    Measure("bits.distinct", "logarithm of how many different answers came", "bits"),
    Measure("bits.grid", "logarithm of how many answers there could be", "bits"),
)


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    """Inputs are drawn with repetition where the task has fewer; each pair is also mixed."""
    target, budget = scene.target, scene.budgets[-1]
    one, other = scene.rng.integers(len(target.task), size=(2, budget))
    part = scene.rng.uniform(0.5, 1, (budget, 1))
    inputs = part * target.task[one] + (1 - part) * target.task[other]
    answers = await scene.classifier().ask(inputs)
    seen = distinct(answers)
    if not seen:
        return
    yield Finding("bits.entropy", entropy(seen))
    yield Finding("bits.distinct", log2(len(set(seen))))
    yield Finding("bits.grid", grid(answers, target.classes).bits)


ATTACK: Final = Attack(
    name="information",
    paper="Miller, 1955 (entropy), and counting (grids)",
    family=Family.CONTROL,
    needs=(Needs.TASK_DATA,),
    kind=Kind.CLASSIFIER,
    run=_run,
    victims=("digits",),
    quick=("digits",),
    budgets=(ASKED,),
    policies=("full", "standard", "coarse"),
    measures=MEASURES,
)

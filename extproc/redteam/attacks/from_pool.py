"""Asking about a pool of inputs from its first to its last, and learning from what came so far."""

from collections.abc import AsyncIterator
from typing import Final

from extproc.redteam.answers import Floats
from extproc.redteam.attack import Copy
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates.choice import Chooser
from extproc.redteam.surrogates.gathered import Gathered

SLOW: Final = 300
"""The most questions to a victim that takes a hundredth of a second for each."""


async def distilled(scene: Scene, pool: Floats, chooser: Chooser) -> AsyncIterator[Copy]:
    """A copy at each budget that inputs [N, d] suffice for."""
    oracle, target = scene.classifier(), scene.target
    gathered, asked = Gathered.nothing(target.dimensions, target.classes), 0
    for budget in scene.budgets:
        if budget > (SLOW if target.slow else len(pool)):
            return
        fresh = pool[asked:budget]
        gathered = gathered.with_answers(fresh, await oracle.ask(fresh))
        asked = budget
        yield Copy(budget, chooser.fit(gathered))

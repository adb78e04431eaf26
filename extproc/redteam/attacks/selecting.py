"""Asking about those inputs of a pool that teach most: the loop that active attacks share.

Rule: an attack says what of the inputs not asked about yet is to be asked next; the first round is
drawn.  Pal, Gupta, Shukla, Kanade, Shevade and Ganapathy, 2020, "ActiveThief: Model Extraction
Using Active Learning and Unannotated Public Data", AAAI, section 3, for pools of natural inputs of
another kind than the model's own.
"""

from collections.abc import AsyncIterator, Callable
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.attack import Copy
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates.choice import Chooser
from extproc.redteam.surrogates.gathered import Gathered
from extproc.redteam.surrogates.pupil import Pupil

CONSIDERED: Final = 6_000
"""Inputs that a round chooses among, at most."""
FIRST: Final = 50
"""Inputs that are drawn, before there is a copy that could choose."""

Select = Callable[[Pupil, Floats, int], Ints]
"""From the copy so far and inputs [n, d], the places of so many that are to be asked next."""


async def selected(scene: Scene, pool: Floats, select: Select) -> AsyncIterator[Copy]:
    """A copy at each budget that inputs [N, d] suffice for; rounds double what was asked."""
    oracle, target = scene.classifier(), scene.target
    chooser = Chooser(target.low, target.high, scene.rng.spawn(1)[0])
    pupil = Pupil(target.low, target.high, scene.rng.spawn(1)[0])
    gathered = Gathered.nothing(target.dimensions, target.classes)
    left, asked = scene.rng.permutation(len(pool)), 0
    for budget in scene.budgets:
        if budget > len(pool):
            return
        while asked < budget:
            count = min(budget - asked, max(FIRST, asked))
            seen = left[: max(CONSIDERED, 2 * count)]
            chosen = np.arange(count)
            if len(gathered) and count < len(seen):
                pupil.learn(gathered)
                chosen = select(pupil, pool[seen], count)
            fresh = pool[seen[chosen]]
            gathered = gathered.with_answers(fresh, await oracle.ask(fresh))
            left, asked = np.delete(left, chosen), asked + count
        yield Copy(budget, chooser.fit(gathered))


def spread(points: Floats, count: int, first: int) -> Ints:
    """Places of ``count`` points [n, k], each the farthest from those before it.

    Sener and Savarese, 2018, "Active Learning for Convolutional Neural Networks: A Core-Set
    Approach", algorithm 1 (greedy k-centre).
    """
    chosen = np.empty(count, np.int64)
    distances = np.full(len(points), np.inf)
    place = first
    for at in range(count):
        chosen[at] = place
        distances = np.minimum(distances, ((points - points[place]) ** 2).sum(axis=1))
        distances[place] = -1
        place = int(distances.argmax())
    return chosen

"""Walk along a boundary by labels alone, towards the input that it started from.

Paper: Chen, Jordan, Wainwright, 2020, "HopSkipJumpAttack: A Query-Efficient Decision-Based Attack",
IEEE S&P, algorithms 1 and 2: find the boundary by halving, estimate its normal from the labels of
random neighbours, step along the normal, and halve the way back to the input.

Rule: inputs are walked from at once, as many as the next budget allows.  How near the boundary is
to them is a finding: it is what an adversarial example costs.  Everything that was asked, and each
point of a boundary, trains a copy as well.  A step that leads nowhere leaves its walk where it was.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.attack import Attack, Copy, Family, Finding, Gain, Kind, Measure, Needs
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates import boundary_regression
from extproc.redteam.walks.ledger import Ledger
from extproc.redteam.walks.line_search import Crossings, pairs, search
from extproc.redteam.walks.unsaturated import Box

WITNESSES: Final = 30
"""Questions that the inputs to walk from are chosen by."""
WALKS: Final = 10
"""Inputs to walk from."""
HALVINGS: Final = 7
NEIGHBOURS: Final = 24
"""Questions for a normal."""
SHARE: Final = 0.1
"""How far neighbours lie, of the way from the input to the boundary."""
STRIDES: Final = (1.0, 0.5, 0.25, 0.12)
"""Of steps along the normal, of the same way over the root of the step's number; all are asked."""
STEP: Final = NEIGHBOURS + len(STRIDES) + HALVINGS
"""Questions of one step of one walk."""

DISTANCE: Final = "boundary.distance"


@dataclass(frozen=True, slots=True)
class Walks:
    """Where each of W walks began, and the nearest place of another label that it knows [W, d]."""

    start: Floats
    own: Ints
    there: Floats
    other: Ints
    """The labels there."""
    steps: Ints

    @classmethod
    def of(cls, begun: Crossings, found: Crossings) -> Self:
        return cls(begun.near, begun.own, found.far, found.other, np.zeros(len(found), np.int64))

    def __len__(self) -> int:
        return len(self.own)

    def distances(self, box: Box) -> Floats:
        """Of each walk [W]: root mean square over coordinates, in halves of the box."""
        return size((self.there - self.start) / box.half)


def size(vectors: Floats) -> Floats:
    """The root mean square of each [..., d]."""
    rooted: Floats = np.sqrt((vectors**2).mean(axis=-1))
    return rooted


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    target, ledger = scene.target, Ledger(scene.classifier())
    box = Box(target.low, target.high)
    task = target.task[scene.rng.integers(len(target.task), size=WITNESSES)]
    await ledger.labels(task)
    begun = pairs(scene.rng, WALKS, ledger.inputs, ledger.answered)
    found = await search(ledger, begun, HALVINGS)
    walks, crossings = Walks.of(begun, found), found
    for budget in scene.budgets:
        while (count := min(len(walks), (budget - ledger.asked) // STEP)) > 0:
            walks, found = await _step(scene.rng, ledger, box, walks, count)
            crossings = crossings.and_(found)
        if ledger.asked > budget or not len(walks):
            continue
        yield Finding(DISTANCE, float(np.median(walks.distances(box))), budget)
        copy = boundary_regression.fit(ledger.inputs, ledger.answered, crossings, target.classes)
        yield Copy(budget, copy, "labels and walks")


async def _step(
    rng: np.random.Generator, ledger: Ledger, box: Box, walks: Walks, count: int
) -> tuple[Walks, Crossings]:
    """A step of those ``count`` walks that have made the fewest."""
    chosen = np.argsort(walks.steps, kind="stable")[:count]
    start, own, there = walks.start[chosen], walks.own[chosen], walks.there[chosen]
    way = walks.distances(box)[chosen]
    normal = await _normals(rng, ledger, box, there, own, way)
    stride = way / np.sqrt(walks.steps[chosen] + 1.0)
    further, other = await _strides(ledger, box, walks, chosen, normal * stride[:, None])
    found = await search(ledger, Crossings(start, further, own, other), HALVINGS)
    nearer = size((found.far - start) / box.half) < way
    moved, labels, steps = walks.there.copy(), walks.other.copy(), walks.steps.copy()
    moved[chosen] = np.where(nearer[:, None], found.far, there)
    labels[chosen] = np.where(nearer, found.other, walks.other[chosen])
    steps[chosen] += 1
    return Walks(walks.start, walks.own, moved, labels, steps), found


async def _normals(
    rng: np.random.Generator, ledger: Ledger, box: Box, there: Floats, own: Ints, way: Floats
) -> Floats:
    """Towards other labels, of size one in halves of the box [W, d] (algorithm 1)."""
    sides = rng.normal(size=(len(there), NEIGHBOURS, there.shape[1]))
    sides /= size(sides)[:, :, None]
    near = box.clip(there[:, None] + SHARE * way[:, None, None] * box.half * sides)
    labels = await ledger.labels(near.reshape(-1, there.shape[1]))
    signs = np.where(labels.reshape(len(there), -1) != own[:, None], 1.0, -1.0)
    centred = signs - signs.mean(axis=1, keepdims=True)
    # Where all say the same there is nothing to centre: the mean of all sides is what is known.
    centred = np.where((centred == 0).all(axis=1, keepdims=True), signs, centred)
    normal = (centred[:, :, None] * sides).mean(axis=1)
    unit: Floats = normal / np.maximum(size(normal), 1e-300)[:, None]
    return unit


async def _strides(
    ledger: Ledger, box: Box, walks: Walks, chosen: Ints, stride: Floats
) -> tuple[Floats, Ints]:
    """The longest step after which the label still is another, and that label [W]."""
    there, own = walks.there[chosen], walks.own[chosen]
    moved = box.clip(there[:, None] + np.array(STRIDES)[None, :, None] * stride[:, None] * box.half)
    labels = (await ledger.labels(moved.reshape(-1, there.shape[1]))).reshape(len(there), -1)
    good = (labels != own[:, None]) & (labels >= 0)
    first, rows, some = good.argmax(axis=1), np.arange(len(there)), good.any(axis=1)
    further = np.where(some[:, None], moved[rows, first], there)
    return further, np.where(some, labels[rows, first], walks.other[chosen])


ATTACK: Final = Attack(
    name="hop-skip-jump",
    paper="Chen, Jordan and Wainwright, IEEE S&P 2020",
    family=Family.COPY,
    needs=(Needs.LABELS, Needs.TASK_DATA),
    kind=Kind.CLASSIFIER,
    run=_run,
    victims=("digits",),
    measures=(
        Measure(
            DISTANCE,
            "median way from an input to the nearest boundary found, in halves of the range",
            worse="low",
        ),
    ),
)

"""Points on the boundary between two classes, found by halving, all lines at once.

Paper: Lowd, Meek, 2005, "Adversarial Learning", KDD, section 4 (a line search between two
witnesses of different sign finds a point of a linear classifier's boundary, to any precision, in
the logarithm of it); Tramer et al., 2016, section 6, do so for several classes.

Rule: where a third class lies between two, the boundary found is that of the first with it.  What
is refused counts as another class, so that a search comes to its end.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.walks.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Crossings:
    """Places [N, d] on either side of a boundary, and the labels [N] there."""

    near: Floats
    far: Floats
    own: Ints
    other: Ints

    def __len__(self) -> int:
        return len(self.own)

    @property
    def middles(self) -> Floats:
        middles: Floats = (self.near + self.far) / 2
        return middles

    @classmethod
    def none(cls, dimensions: int) -> Self:
        nothing, nobody = np.zeros((0, dimensions)), np.zeros(0, np.int64)
        return cls(nothing, nothing, nobody, nobody)

    def and_(self, more: "Crossings") -> "Crossings":
        return Crossings(
            np.concatenate([self.near, more.near]),
            np.concatenate([self.far, more.far]),
            np.concatenate([self.own, more.own]),
            np.concatenate([self.other, more.other]),
        )


def pairs(rng: np.random.Generator, count: int, inputs: Floats, labels: Ints) -> Crossings:
    """At most ``count`` pairs of inputs whose labels differ, classes as evenly as may be."""
    classes, place = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        return Crossings.none(inputs.shape[1])
    worth = 1.0 / np.bincount(place)[place]
    one, other = rng.choice(len(labels), size=(2, 4 * count), p=worth / worth.sum())
    differ = np.flatnonzero(labels[one] != labels[other])[:count]
    one, other = one[differ], other[differ]
    return Crossings(inputs[one], inputs[other], labels[one], labels[other])


async def search(ledger: Ledger, open_: Crossings, steps: int) -> Crossings:
    """Halve each line ``steps`` times; raise BudgetSpent where so many are not left."""
    near, far, other = open_.near, open_.far, open_.other
    for _ in range(steps):
        middle = (near + far) / 2
        labels = await ledger.labels(middle)
        same = labels == open_.own
        near, far = np.where(same[:, None], middle, near), np.where(same[:, None], far, middle)
        other = np.where(same, other, np.where(labels < 0, other, labels))
    return Crossings(near, far, open_.own, other)

"""How good a copy is: how often it says what the model says.

Rule: the judge asks the victim itself, past the gateway, or with a key that gets full answers; what
it learns there no attack sees.  Agreement is with the victim's label, not with the truth, after
Jagielski et al., 2020, "High Accuracy and High Fidelity Extraction of Neural Networks".  It is
measured on three kinds of inputs: the task's own, uniform ones, and ones near the boundary between
two labels, where copies that look perfect on the task still differ.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from extproc.redteam.answers import Answers, Floats, Ints
from extproc.redteam.attack import Measure
from extproc.redteam.victims.victim import ClassifierVictim

UNIFORM: Final = 2_000
"""Inputs of the uniform kind."""
BOUNDARY: Final = 1_000
"""Inputs near the boundary."""
HALVINGS: Final = 7
"""How often the way between two inputs of different labels is halved; a hundredth is left."""

MEASURES: Final = (
    Measure("agreement.task", "share of the task's inputs labelled as the victim does"),
    Measure("agreement.uniform", "share of uniform inputs labelled as the victim does"),
    Measure("agreement.boundary", "share of inputs near a boundary labelled as the victim does"),
    Measure("accuracy", "share of the task's inputs labelled rightly"),
)

_SEED: Final = 20_261_126
"""Of the inputs that copies are judged on: the same for all attacks, policies and seeds."""


class Ask(Protocol):
    """Asks the victim past the gateway."""

    async def __call__(self, inputs: Floats) -> Answers: ...


@dataclass(frozen=True, slots=True)
class Bench:
    """Inputs of one kind and the victim's labels of them."""

    name: str
    inputs: Floats
    labels: Ints

    def agreement(self, predict: Callable[[Floats], Ints]) -> float:
        """The share of inputs of which a copy says what the victim says."""
        return float(np.mean(predict(self.inputs) == self.labels))


@dataclass(frozen=True, slots=True)
class Judge:
    """Of one classifier."""

    benches: tuple[Bench, ...]
    truth: Ints
    """The true labels of the first bench's inputs; empty where nobody knows them."""

    def verdict(self, predict: Callable[[Floats], Ints]) -> Iterator[tuple[str, float]]:
        """Name and value of each measure."""
        for bench in self.benches:
            yield f"agreement.{bench.name}", bench.agreement(predict)
        if len(self.truth):
            yield "accuracy", float(np.mean(predict(self.benches[0].inputs) == self.truth))


async def summon(victim: ClassifierVictim, ask: Ask) -> Judge:
    """A judge that knows what the victim says of all that copies are judged on."""
    rng = np.random.default_rng(_SEED)
    test = victim.secret.test
    uniform = rng.uniform(victim.low, victim.high, (_share(UNIFORM, victim), victim.dimensions))
    labels = (await ask(test)).labels
    pairs = _pairs(labels, _share(BOUNDARY, victim), rng)
    boundary = await _boundary(test[pairs[0]], test[pairs[1]], labels[pairs[0]], ask, rng)
    return Judge(
        (
            Bench("task", test, labels),
            Bench("uniform", uniform, (await ask(uniform)).labels),
            Bench("boundary", boundary, (await ask(boundary)).labels),
        ),
        victim.secret.truth,
    )


def _share(count: int, victim: ClassifierVictim) -> int:
    return count // 10 if victim.slow else count


async def _boundary(
    near: Floats, far: Floats, own: Ints, ask: Ask, rng: np.random.Generator
) -> Floats:
    """Halve the way from inputs of labels ``own`` to ones of others, all pairs at once."""
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        same = (await ask(middle)).labels == own
        near, far = np.where(same[:, None], middle, near), np.where(same[:, None], far, middle)
    return np.where(rng.random(len(near))[:, None] < 0.5, near, far)


def _pairs(labels: Ints, count: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Places of pairs of inputs whose labels differ."""
    one = rng.integers(len(labels), size=8 * count)
    other = rng.integers(len(labels), size=8 * count)
    differ = np.flatnonzero(labels[one] != labels[other])[:count]
    return one[differ], other[differ]

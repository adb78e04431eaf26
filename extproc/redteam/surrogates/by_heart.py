"""Copies that learn single answers by heart, as a thief's do who trains to the end.

Rule: they read labels alone, and each row counts: the other surrogates stop where agreement does
not grow any more, or learn from some of the rows.  Orekondy, Schiele and Fritz, 2019, "Knockoff
Nets", CVPR, section 5, train for 200 rounds; Feldman, 2020, "Does Learning Require Memorization?",
STOC, says why that is no waste.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.surrogates.perceptron import Committee, Course, Lesson, Scale, train

ROUNDS: Final = 100
"""Times around all rows."""
WIDTH: Final = 256
"""Of the one hidden layer."""
_TREES: Final = 15


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the inputs: their bounds [d], and how many classes there are."""

    low: Floats
    high: Floats
    classes: int


@dataclass(frozen=True, slots=True)
class Trees:
    """Which say a class each, of which the most frequent is said."""

    trees: Any

    def __call__(self, inputs: Floats) -> Ints:
        labels: Ints = self.trees.predict(inputs)
        return labels


def course(rows: int, rounds: int = ROUNDS) -> Course:
    """How long a perceptron learns from so many rows."""
    return Course((WIDTH,), max(1, rounds * rows // Course().batch))


def perceptron(
    inputs: Floats, labels: Ints, known: Known, rng: np.random.Generator, taken: Course
) -> Committee:
    """One member, taught inputs [N, d] and labels [N]."""
    scale = Scale.of(inputs, known.low, known.high)
    lesson = Lesson(np.arange(len(inputs)), np.eye(known.classes, dtype=np.float32)[labels])
    return Committee(scale, train(scale(inputs), [lesson], rng, taken))


def trees(inputs: Floats, labels: Ints, rng: np.random.Generator) -> Trees:
    """Extremely randomised trees (see `forest`) of all rows, each grown to its end."""
    grown = ExtraTreesClassifier(_TREES, random_state=int(rng.integers(2**31)))
    return Trees(grown.fit(inputs, labels))

"""What a thief makes of what it was told: copies of several kinds, and what they are laundered to.

Rule: they are the red team's own surrogates.  Its own course for perceptrons is short, as it has
many to train; a thief with one to train takes more rounds, and so do some of these.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from extproc.redteam.answers import Answers, Floats, Ints
from extproc.redteam.laundering.labels import Labels, Means, distilled, smoothed
from extproc.redteam.laundering.networks import fine_tuned, pruned
from extproc.redteam.surrogates import by_heart, forest, kernel, softmax_regression
from extproc.redteam.surrogates.by_heart import ROUNDS
from extproc.redteam.surrogates.choice import Chooser, course
from extproc.redteam.surrogates.gathered import Gathered
from extproc.redteam.surrogates.perceptron import Committee
from extproc.redteam.victims.victim import ClassifierVictim
from tests.ownership.theft import Told, scores, victim

TAUGHT: Final = 3_000
"""Inputs of the victim's kind that a thief launders with."""
Fit = Callable[[Told, ClassifierVictim, np.random.Generator], Labels]
Launder = Callable[[Committee, Told, Means], Labels]


def perceptron(
    told: Told, victim: ClassifierVictim, rng: np.random.Generator, rounds: int
) -> Committee:
    """Of one hidden layer; ``rounds`` of 0 is the red team's own course."""
    many = len(told.inputs)
    taken = by_heart.course(many, rounds) if rounds else course(many)
    return by_heart.perceptron(told.inputs, told.labels, known(victim), rng, taken)


def known(victim: ClassifierVictim) -> by_heart.Known:
    return by_heart.Known(victim.low, victim.high, victim.classes)


def _chosen(told: Told, victim: ClassifierVictim, rng: np.random.Generator) -> Labels:
    answers = Answers(told.labels, None, np.ones(len(told.labels), bool))
    gathered = Gathered.nothing(victim.dimensions, victim.classes)
    chooser = Chooser(victim.low, victim.high, rng)
    return chooser.fit(gathered.with_answers(told.inputs, answers))


def _linear(told: Told, victim: ClassifierVictim, rng: np.random.Generator) -> Labels:
    targets = _targets(told.labels, victim)
    return softmax_regression.fit(told.inputs, targets, victim.classes, rounds=40)


def _some_trees(told: Told, victim: ClassifierVictim, rng: np.random.Generator) -> Labels:
    return forest.fit(told.inputs, _targets(told.labels, victim), rng)


def _kernel(told: Told, victim: ClassifierVictim, rng: np.random.Generator) -> Labels:
    return kernel.fit(told.inputs, _targets(told.labels, victim), victim.low, victim.high, rng)


KINDS: Final[Mapping[str, Fit]] = {
    "softmax regression": _linear,
    "kernel ridge, of 1,500 answers": _kernel,
    "the red team's own choice": _chosen,
    "perceptron, the red team's course": partial(perceptron, rounds=0),
    "perceptron, 20 rounds": partial(perceptron, rounds=20),
    f"perceptron, {ROUNDS} rounds": partial(perceptron, rounds=ROUNDS),
    "forest, of 3,000 answers": _some_trees,
    "forest, of all answers": lambda told, _, rng: by_heart.trees(told.inputs, told.labels, rng),
}


def _tuned(copy: Committee, told: Told, means: Means) -> Labels:
    """By what the victim says unmarked, which no thief has; by a better teacher it is worse."""
    truth = scores(means.inputs).argmax(axis=1)
    return fine_tuned(copy, means.inputs, truth, means.rng)


def _distilled_on_asked(copy: Committee, told: Told, means: Means) -> Labels:
    """By the copy, on the very inputs that the victim was asked about."""
    taught = replace(told, labels=copy(told.inputs))
    return perceptron(taught, victim(), means.rng, ROUNDS)


LAUNDERED: Final[Mapping[str, Launder]] = {
    "as stolen": lambda copy, told, means: copy,
    "pruned, 30 % of its weights": lambda copy, told, means: pruned(copy, 0.3),
    "pruned, 50 %": lambda copy, told, means: pruned(copy, 0.5),
    "pruned, 80 %": lambda copy, told, means: pruned(copy, 0.8),
    "fine-tuned, 10 rounds of 3,000 true answers": _tuned,
    "distilled on the inputs that were asked about": _distilled_on_asked,
    "distilled on 3,000 others": lambda copy, told, means: distilled(copy, means),
    "smoothed, a vote of 15 neighbours": lambda copy, told, means: smoothed(copy, means),
}


def means(victim: ClassifierVictim, rng: np.random.Generator) -> Means:
    own = victim.task[:TAUGHT]
    return Means(own, victim.low, victim.high, victim.classes, rng)


def _targets(labels: Ints, victim: ClassifierVictim) -> Floats:
    targets: Floats = np.eye(victim.classes)[labels]
    return targets

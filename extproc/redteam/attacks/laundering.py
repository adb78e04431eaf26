"""Steal a classifier that marks its answers, and rid the copy of the marks.

Papers: Orekondy, Schiele and Fritz, 2019, "Knockoff Nets", CVPR, section 4.1.2 (inputs of another
kind, in any order); those of the removals, `extproc.redteam.laundering`: Lukas et al., 2022, is a
survey of them.

Rule: it knows nothing of marks.  Copies that learn answers by heart are what marks are about; the
thief's own choice among surrogates is there too, and is laundered by what it does not learn.  Some
of it no thief can do: fine-tuning by what the model says unmarked, which is asked past the gateway,
is the best that fine-tuning could be; and copies that were taught by that alone carry nobody's
marks, and are to be called nobody's.  A bystander asks as much of another kind, with a key of his
own.
"""

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from extproc.redteam.answers import Answers, Floats, Ints
from extproc.redteam.attack import Attack, Copy, Family, Finding, Gain, Kind, Measure, Needs
from extproc.redteam.laundering.labels import Labels, Means, distilled, noisy, smoothed
from extproc.redteam.laundering.networks import fine_tuned, pruned
from extproc.redteam.oracle import Budget, Classifier
from extproc.redteam.owner.found import CLEAN, MEASURES, STOLEN, called
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates import by_heart
from extproc.redteam.surrogates.by_heart import Known
from extproc.redteam.surrogates.choice import Chooser
from extproc.redteam.surrogates.gathered import Gathered
from extproc.redteam.surrogates.perceptron import Committee

OTHERS: Final = 3_000
"""Inputs that the thief has and the victim was not asked about."""
PERCEPTRON, FOREST, CHOICE = "perceptron", "forest", "own choice"
"""Surrogates."""
_BYSTANDER: Final = 1
"""The place of his key."""

Way = tuple[str, Callable[[], Labels]]
"""What is done, and what comes of it."""


@dataclass(frozen=True, slots=True)
class _Loot:
    """What a thief has: inputs [N, d], what was answered, and what the model itself says [N]."""

    inputs: Floats
    labels: Ints
    truth: Ints
    gathered: Gathered
    known: Known
    means: Means

    @property
    def rng(self) -> np.random.Generator:
        return self.means.rng

    def perceptron(self, labels: Ints) -> Committee:
        taken = by_heart.course(len(self.inputs))
        return by_heart.perceptron(self.inputs, labels, self.known, self.rng, taken)

    def chosen(self, gathered: Gathered) -> Labels:
        return Chooser(self.known.low, self.known.high, self.rng).fit(gathered)


async def launder(
    scene: Scene, surrogates: Collection[str] = (PERCEPTRON, FOREST, CHOICE)
) -> AsyncIterator[Gain]:
    """What the attack yields, of these surrogates alone."""
    loot = await _stolen(scene)
    if loot is None:
        return
    yield Finding("relabelled", float(np.mean(loot.labels != loot.truth)))
    truth_of_others = await _unmarked(scene, loot.means.inputs)
    made: Mapping[str, Callable[[], Iterator[tuple[str, Labels]]]] = {
        PERCEPTRON: lambda: _perceptrons(loot, truth_of_others),
        FOREST: lambda: _forests(loot),
        CHOICE: lambda: _choices(loot),
    }
    for surrogate in surrogates:
        for name, labels in made[surrogate]():
            yield Copy(scene.budgets[-1], labels, name)


async def _stolen(scene: Scene) -> _Loot | None:
    """None where not all is answered."""
    target, count = scene.target, scene.budgets[-1]
    pool = scene.rng.permutation(target.natural)
    asked, others = pool[:count], pool[count:][:count]
    answers = await scene.classifier().ask(asked)
    beside = Classifier(scene.client, target.adapter, target.classes, Budget(len(others)))
    await beside.ask(others, key=_BYSTANDER)
    if not answers.served.all():
        return None
    own = scene.rng.permutation(target.task)[:OTHERS]
    return _Loot(
        asked,
        answers.labels,
        await _unmarked(scene, asked),
        Gathered.nothing(target.dimensions, target.classes).with_answers(asked, answers),
        Known(target.low, target.high, target.classes),
        Means(own, target.low, target.high, target.classes, scene.rng),
    )


async def _unmarked(scene: Scene, inputs: Floats) -> Ints:
    """What the model says itself, which no thief is told."""
    target, budget = scene.target, Budget(len(inputs))
    model = Classifier(scene.public, target.adapter, target.classes, budget)
    return (await model.ask(inputs)).labels


def _perceptrons(loot: _Loot, truth_of_others: Ints) -> Iterator[tuple[str, Labels]]:
    copy, means = loot.perceptron(loot.labels), loot.means
    ways: list[Way] = [
        (STOLEN, lambda: copy),
        *((f"pruned, {share:.0%}", partial(pruned, copy, share)) for share in (0.3, 0.5, 0.8)),
        (
            "fine-tuned by unmarked answers",
            lambda: fine_tuned(copy, means.inputs, truth_of_others, means.rng),
        ),
        ("a tenth of its answers drawn", lambda: noisy(copy, means)),
        ("smoothed by a vote", lambda: smoothed(copy, means)),
        ("distilled on what was asked", lambda: loot.perceptron(copy(loot.inputs))),
        ("distilled on other inputs", lambda: distilled(copy, means)),
        (CLEAN, lambda: loot.perceptron(loot.truth)),
    ]
    yield from _named(PERCEPTRON, ways)


def _forests(loot: _Loot) -> Iterator[tuple[str, Labels]]:
    copy, means = by_heart.trees(loot.inputs, loot.labels, loot.rng), loot.means
    ways: list[Way] = [
        (STOLEN, lambda: copy),
        ("a tenth of its answers drawn", lambda: noisy(copy, means)),
        ("smoothed by a vote", lambda: smoothed(copy, means)),
        ("distilled on what was asked", lambda: loot.perceptron(copy(loot.inputs))),
        ("distilled on other inputs", lambda: distilled(copy, means)),
        (CLEAN, lambda: by_heart.trees(loot.inputs, loot.truth, loot.rng)),
    ]
    yield from _named(FOREST, ways)


def _choices(loot: _Loot) -> Iterator[tuple[str, Labels]]:
    nothing = Gathered.nothing(loot.inputs.shape[1], loot.known.classes)
    unmarked = Answers(loot.truth, None, np.ones(len(loot.truth), bool))
    ways: list[Way] = [
        (STOLEN, lambda: loot.chosen(loot.gathered)),
        (CLEAN, lambda: loot.chosen(nothing.with_answers(loot.inputs, unmarked))),
    ]
    yield from _named(CHOICE, ways)


def _named(surrogate: str, ways: list[Way]) -> Iterator[tuple[str, Labels]]:
    """Each made when it is asked for."""
    for way, make in ways:
        yield called(surrogate, way), make()


ATTACK: Final = Attack(
    name="laundering",
    paper="Orekondy et al., CVPR 2019; Lukas et al., IEEE S&P 2022; Szyller et al., MM 2021",
    family=Family.OWNERSHIP,
    needs=(Needs.OTHER_DATA, Needs.TASK_DATA, Needs.LABELS, Needs.OWNER),
    kind=Kind.CLASSIFIER,
    run=launder,
    victims=("digits",),
    budgets=(10_000,),
    measures=(
        *MEASURES,
        Measure("relabelled", "share of what was asked that got another label than the model's"),
    ),
    bystanders=1,
    apart="ownership",
    baseline=False,
    policies=("marked",),
)

"""Distil from inputs like the model's own: the thief who has data and lacks only the model.

Paper: Hinton, Vinyals and Dean, 2015, "Distilling the Knowledge in a Neural Network", section 2,
turned against the teacher as in Jagielski, Carlini, Berthelot, Kurakin and Papernot, 2020, "High
Accuracy and High Fidelity Extraction of Neural Networks", USENIX Security, section 4.

Rule: real inputs are asked about before what was made from them; of the real ones first those that
stand for most others (Hacohen, Dekel and Weinshall, 2022, "Active Learning on a Budget: Opposite
Strategies Suit High and Low Budgets", ICML, section 3), then those that a kernel fitted to the
answers so far is least sure of.
"""

from collections.abc import AsyncIterator
from typing import Final

import numpy as np
from sklearn.cluster import KMeans

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.attack import BUDGETS, POLICIES, Attack, Copy, Family, Gain, Kind, Needs
from extproc.redteam.attacks.from_pool import SLOW
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates import kernel
from extproc.redteam.surrogates.choice import Chooser
from extproc.redteam.surrogates.gathered import Gathered
from extproc.redteam.victims.victim import ClassifierVictim

OPENING: Final = 100
"""Inputs of the first round; a further one has as many as all before."""


def standing_for_most(inputs: Floats, count: int, rng: np.random.Generator) -> Ints:
    """Places of at most ``count`` of inputs [n, d]: of each cluster, the one next to its middle."""
    seed = int(rng.integers(2**31))
    found = KMeans(count, n_init=1, max_iter=20, random_state=seed).fit(inputs)
    off = ((inputs - found.cluster_centers_[found.labels_]) ** 2).sum(axis=1)
    order = np.lexsort((off, found.labels_))
    chosen: Ints = order[np.unique(found.labels_[order], return_index=True)[1]]
    return chosen


def least_sure(
    gathered: Gathered, inputs: Floats, target: ClassifierVictim, rng: np.random.Generator
) -> Ints:
    """Places of inputs [n, d], those first of which two labels are most alike likely."""
    targets = list(gathered.targets().values())[-1]
    copy = kernel.fit(gathered.inputs, targets, target.low, target.high, rng)
    likely = np.sort(copy.probabilities(inputs), axis=1)
    return np.argsort(likely[:, -1] - likely[:, -2], kind="stable")


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    oracle, target = scene.classifier(), scene.target
    chooser = Chooser(target.low, target.high, scene.rng.spawn(1)[0], typical=target.real)
    real = scene.rng.permutation(target.task[: target.real])
    made = scene.rng.permutation(target.task[target.real :])
    gathered, asked = Gathered.nothing(target.dimensions, target.classes), 0
    for budget in scene.budgets:
        if budget > (SLOW if target.slow else len(target.task)):
            return
        while asked < budget:
            count = min(budget - asked, max(OPENING, asked))
            if len(real):
                order = _order(scene, gathered, real, count)[:count]
                fresh, real = real[order], np.delete(real, order, axis=0)
            else:
                fresh, made = made[: budget - asked], made[budget - asked :]
            gathered = gathered.with_answers(fresh, await oracle.ask(fresh))
            asked += len(fresh)
        yield Copy(budget, chooser.fit(gathered))


def _order(scene: Scene, gathered: Gathered, real: Floats, count: int) -> Ints:
    """Places of real inputs, the next to be asked about first."""
    if count >= len(real):
        return np.arange(len(real))
    if len(gathered):
        return least_sure(gathered, real, scene.target, scene.rng)
    return standing_for_most(real, count, scene.rng)


ATTACK: Final = Attack(
    name="distillation",
    paper="Hinton et al. 2015; Jagielski et al., USENIX Security 2020",
    family=Family.COPY,
    needs=(Needs.TASK_DATA, Needs.LABELS),
    kind=Kind.CLASSIFIER,
    run=_run,
    victims=("digits", "digits-mlp", "digits-forest", "cancer", "magika"),
    quick=("digits",),
    budgets=(*BUDGETS, 10_000),
    policies=(*POLICIES, "metered"),
)

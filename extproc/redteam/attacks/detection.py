"""How soon a thief is told from those who mean well, and how often one of these is taken for one.

Papers: Orekondy, Schiele and Fritz, 2019, "Knockoff Nets", CVPR (inputs of another kind); Papernot
et al., 2017, "Practical Black-Box Attacks against Machine Learning", AsiaCCS (steps along the
copy's slopes); Juuti, Szyller, Marchal and Asokan, 2019, "PRADA", EuroS&P, section 7 (queries mixed
with honest ones); Douceur, 2002, "The Sybil Attack", IPTPS (many keys).

Each thief but one asks one input after another, so that it is seen at which one it was noticed, and
makes a copy of the answers it got.  Customers with tenants of their own ask beside them, at the
same pace.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.attack import Attack, Copy, Family, Gain, Kind, Needs
from extproc.redteam.attacks import jacobian
from extproc.redteam.attacks.thief import ASKED, KEYS, MEASURES, Thief, alarms, beside
from extproc.redteam.benign import batch, evaluation, probe, single
from extproc.redteam.benign.customer import Customer, Habit
from extproc.redteam.form import Grain
from extproc.redteam.oracle import BATCH
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates.choice import Chooser
from extproc.redteam.surrogates.choice import Family as Surrogate
from extproc.redteam.surrogates.gathered import Gathered
from extproc.redteam.surrogates.pupil import Pupil

SEEDS: Final = 20
"""Honest inputs that the Jacobian thief begins with."""
HABITS: Final[Mapping[str, Habit]] = {
    "single": single.run,
    "batch": batch.run,
    "evaluation": evaluation.run,
    "probe": probe.run,
}
CUSTOMERS: Final = 3
"""Of each habit."""


@dataclass(slots=True, kw_only=True)
class _Thief(Thief):
    scene: Scene
    gathered: Gathered

    async def answered(self, some: Floats, key: int) -> tuple[bool, bool]:
        """In full is with scores."""
        answers = await self.scene.classifier().ask(some, key=key)
        self.gathered = self.gathered.with_answers(some, answers)
        return bool(answers.served[0]), answers.scores is not None

    def copy(self) -> Callable[[Floats], Ints]:
        target, families = self.scene.target, (Surrogate.SOFTMAX, Surrogate.KERNEL)
        chooser = Chooser(target.low, target.high, self.rng.spawn(1)[0], families=families)
        return chooser.fit(self.gathered)


async def _other(thief: _Thief) -> None:
    await thief.ask(thief.rng.permutation(thief.scene.target.natural)[:ASKED])


async def _noise(thief: _Thief) -> None:
    target = thief.scene.target
    await thief.ask(thief.rng.uniform(target.low, target.high, (ASKED, target.dimensions)))


async def _steps(thief: _Thief) -> None:
    target = thief.scene.target
    pupil = Pupil(target.low, target.high, thief.rng.spawn(1)[0])
    await thief.ask(thief.rng.permutation(target.task[: target.real])[:SEEDS])
    while thief.asked < ASKED and len(thief.gathered):
        pupil.learn(thief.gathered)
        rows = thief.rng.permutation(len(thief.gathered))
        await thief.ask(jacobian.stepped(pupil, thief.gathered, rows, jacobian.STEP))


async def _mixed(thief: _Thief) -> None:
    """Every second input is an honest one."""
    target = thief.scene.target
    honest = thief.rng.permutation(target.task)[: ASKED // 2]
    other = thief.rng.permutation(target.natural)[: ASKED // 2]
    await thief.ask(np.stack([honest, other], axis=1).reshape(-1, target.dimensions))


async def _own(thief: _Thief) -> None:
    target = thief.scene.target
    await thief.ask(thief.rng.permutation(target.task[: target.real])[:ASKED])


THIEVES: Final[Mapping[str, tuple[Callable[[_Thief], Awaitable[None]], int, int]]] = {
    "other inputs": (_other, 1, 1),
    "noise": (_noise, 1, 1),
    "Jacobian steps": (_steps, 1, 1),
    "other inputs, half mixed": (_mixed, 1, 1),
    f"other inputs, {KEYS} keys": (_other, KEYS, 1),
    f"other inputs, {BATCH} at once": (_other, 1, BATCH),
    "inputs like the model's own": (_own, 1, 1),
}
"""Each with how many keys it has, which are its alone, and how many inputs a request has."""
_ALL_KEYS: Final = sum(keys for _, keys, _ in THIEVES.values())


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    thieves = dict(_thieves(scene))
    kinds = [kind for kind in HABITS for _ in range(CUSTOMERS)]
    customers = [
        Customer(scene.client, _ALL_KEYS + at, scene.target, scene.rng.spawn(1)[0])
        for at in range(len(kinds))
    ]
    taken = await beside(
        [partial(THIEVES[name][0], thief) for name, thief in thieves.items()],
        [_taken(HABITS[kind], each) for kind, each in zip(kinds, customers, strict=True)],
    )
    for name, thief in thieves.items():
        for finding in thief.findings(name):
            yield finding
        yield Copy(ASKED, thief.copy(), name)
    for finding in alarms(kinds, taken):
        yield finding


def _thieves(scene: Scene) -> Iterator[tuple[str, _Thief]]:
    target, first = scene.target, 0
    for name, (_, count, at_once) in THIEVES.items():
        nothing = Gathered.nothing(target.dimensions, target.classes)
        keys, rng = range(first, first + count), scene.rng.spawn(1)[0]
        yield name, _Thief(keys, rng, at_once, scene=scene, gathered=nothing)
        first += count


async def _taken(habit: Habit, customer: Customer) -> bool:
    """Whether it was refused anything, or got labels alone."""
    await habit(customer)
    met = customer.met
    return met.refused > 0 or any(form.grain is Grain.NONE for form in met.forms)


ATTACK: Final = Attack(
    name="detection",
    paper="Orekondy et al., CVPR 2019; Papernot et al., AsiaCCS 2017; Juuti et al., EuroS&P 2019",
    family=Family.DETECTION,
    needs=(Needs.TASK_DATA, Needs.OTHER_DATA, Needs.MANY_KEYS),
    kind=Kind.CLASSIFIER,
    run=_run,
    victims=("digits",),
    quick=("digits",),
    budgets=(ASKED * len(THIEVES),),
    measures=MEASURES,
    keys=_ALL_KEYS,
    tenants=_ALL_KEYS,
    linked=False,
    bystanders=CUSTOMERS * len(HABITS),
    apart="detection",
    policies=("standard", "watched"),
    quick_policies=("watched",),
)

"""One attack on one victim under one policy with one seed.

Rule: a trial that is refused to the end is a result like any other; what breaks it is named, and
never counts as a defence.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

import numpy as np
from msgspec import structs

from extproc.redteam.attack import Attack, Copy, Finding, Gain, VectorCopy
from extproc.redteam.client import Client
from extproc.redteam.form import served_before_change
from extproc.redteam.judge import Judge
from extproc.redteam.meter import Meter
from extproc.redteam.oracle import Budget, BudgetSpent
from extproc.redteam.owner.found import measured
from extproc.redteam.owner.kept import Kept
from extproc.redteam.owner.labels import LabelOwner
from extproc.redteam.owner.owners import owner_of
from extproc.redteam.owner.vectors import VectorOwner
from extproc.redteam.row import Row
from extproc.redteam.scene import Scene
from extproc.redteam.vector_judge import VectorJudge
from extproc.redteam.victims.victim import Victim


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried, and where."""

    attack: Attack
    victim: Victim
    policy: str
    seed: int
    budgets: Sequence[int]
    url: str
    """Of the gateway under test."""
    public: str
    """Of the server that has the public models."""
    keys: Sequence[str]
    parallel: int = 16
    """Requests under way at once; 1 where the gateway counts, so that their order is the same."""
    replicas: tuple[str, ...] = ()
    """URLs of the gateway's replicas where there are several, ``url`` first."""
    kept: Kept | None = None
    """By which the owner of the victim tells whose its copies are."""

    def generator(self) -> np.random.Generator:
        """The same whatever the policy, so that policies are compared on the same questions."""
        name = [*self.attack.name.encode(), 0, *self.victim.name.encode()]
        return np.random.default_rng([self.seed, *name])


async def run(trial: Trial, judge: Judge | VectorJudge | None) -> list[Row]:
    """Run it to its end; the rows are complete or there are none."""
    mine = Client(trial.url, trial.keys, trial.parallel)
    async with mine as client, Client(trial.public) as public:
        budgets = tuple(trial.budgets)
        place = (trial.victim, client, public, Budget(budgets[-1]), budgets)
        scene = Scene(*place, trial.generator(), replicas=trial.replicas)
        owner = None if trial.kept is None else owner_of(trial.victim, trial.kept, public)
        rows, began = [], monotonic()
        async for gain in _gains(trial.attack, scene):
            client.meter.seconds = monotonic() - began
            rows += list(_rows(trial, client.meter, gain, judge))
            rows += [row async for row in _found(trial, client.meter, gain, owner)]
        return [*rows, *_treatment(trial, client.meter)]


async def _gains(attack: Attack, scene: Scene) -> AsyncIterator[Gain]:
    try:
        async for gain in attack.run(scene):
            yield gain
    except BudgetSpent:
        return


def _rows(
    trial: Trial, meter: Meter, gain: Gain, judge: Judge | VectorJudge | None
) -> Iterator[Row]:
    match gain, judge:
        case Finding(), _:
            row = _row(trial, meter, gain.measure, gain.value, gain.budget, gain.strategy)
            yield structs.replace(row, note=gain.note)
        case Copy(), Judge():
            for measure, value in judge.verdict(gain.labels):
                yield _row(trial, meter, measure, value, gain.budget, gain.strategy)
        case VectorCopy(), VectorJudge():
            for measure, value in judge.verdict(gain.embed):
                yield _row(trial, meter, measure, value, gain.budget, gain.strategy)
        case _:
            raise TypeError(f"{trial.attack.name}: nobody judges {type(gain).__name__} here")


async def _found(
    trial: Trial, meter: Meter, gain: Gain, owner: LabelOwner | VectorOwner | None
) -> AsyncIterator[Row]:
    """By the owner, in a copy; none where nothing was marked."""
    match gain, owner:
        case Copy(), LabelOwner():
            found = await owner.finds(gain.labels, meter.requests)
        case VectorCopy(), VectorOwner():
            found = await owner.finds(gain.embed, gain.asked)
        case _:
            return
    for measure, value in measured(found):
        yield _row(trial, meter, measure, value, gain.budget, gain.strategy)


def _treatment(trial: Trial, meter: Meter) -> Iterator[Row]:
    """How the gateway took it: what was refused, what had been served when that began, and what
    when answers began to tell less.
    """
    asked = meter.queries + meter.refused
    yield _row(trial, meter, "refused.share", meter.refused / max(asked, 1))
    if meter.first_refusal is not None:
        yield _row(trial, meter, "served_before_refusal", meter.first_refusal)
    changed = served_before_change(meter.forms)
    if changed is not None:
        yield _row(trial, meter, "served_before_change", changed)


def _row(
    trial: Trial, meter: Meter, measure: str, value: float, budget: int = 0, strategy: str = ""
) -> Row:
    return Row(
        attack=trial.attack.name,
        victim=trial.victim.name,
        policy=trial.policy,
        seed=trial.seed,
        measure=measure,
        value=float(value),
        budget=budget,
        strategy=strategy,
        queries=meter.queries,
        requests=meter.requests,
        refused=meter.refused,
        keys=len(meter.keys),
        seconds=round(meter.seconds, 3),
    )

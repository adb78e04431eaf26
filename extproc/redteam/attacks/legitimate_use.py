"""What an attack on the same gateway, and the protection against it, cost those who mean well.

Source: Clopper and Pearson, 1934, "The Use of Confidence or Fiducial Limits Illustrated in the Case
of the Binomial", for what no refusal among N shows.  Five customers of tenants of their own ask as
such customers do, while an attacker asks as fast as it can for a copy of the model; each is to be
served as if the attacker were not there.  Where a customer's own budget is smaller than what it
asks for, its refusals are the policy's, and count here all the same.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Final

import numpy as np
from scipy import stats

from extproc.redteam.attack import Attack, Family, Finding, Gain, Kind, Measure, Needs
from extproc.redteam.benign import batch, chat, evaluation, probe, retries
from extproc.redteam.benign.customer import Customer, Habit, Met
from extproc.redteam.oracle import BATCH, BudgetSpent
from extproc.redteam.scene import Scene

HABITS: Final[Mapping[str, Habit]] = {
    "batch": batch.run,
    "probe": probe.run,
    "evaluation": evaluation.run,
    "chat": chat.run,
    "retries": retries.run,
}
_ATTACKER: Final = 1
"""Keys of the attacker, which stand before those of the bystanders."""
_AT_ONCE: Final = 2
"""Batches of the attacker's under way together."""


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    customers = {
        kind: Customer(scene.client, _ATTACKER + place, scene.target, seeded)
        for place, (kind, seeded) in enumerate(
            zip(HABITS, scene.rng.spawn(len(HABITS)), strict=True)
        )
    }
    attack = asyncio.create_task(_distil(scene))
    try:
        await asyncio.gather(*(HABITS[kind](each) for kind, each in customers.items()))
    finally:
        attack.cancel()
        await asyncio.gather(attack, return_exceptions=True)
    for kind, customer in customers.items():
        for finding in _findings(kind, customer.met):
            yield finding


async def _distil(scene: Scene) -> None:
    """Uniform inputs, two batches at a time, until it is stopped or its budget is spent."""
    target, oracle = scene.target, scene.classifier()
    while True:
        inputs = scene.rng.uniform(target.low, target.high, (_AT_ONCE * BATCH, target.dimensions))
        try:
            await oracle.ask(inputs)
        except BudgetSpent:
            return


def _findings(kind: str, met: Met) -> Iterator[Finding]:
    bound = float(stats.beta.ppf(0.975, met.refused + 1, max(met.asked - met.refused, 1)))
    note = f"{met.refused} of {met.asked}; at most {bound:.3f} with 95 % confidence"
    yield Finding(f"false_blocks.{kind}", met.refused_share, note=note)
    yield Finding(f"asked.{kind}", met.asked)
    if met.forms:
        yield Finding(f"lowered.{kind}", met.lowered_share)
    if met.seconds:
        for share in (50, 95):
            value = float(np.percentile(met.seconds, share)) * 1000
            yield Finding(f"latency.{kind}.p{share}", value)


_WHO: Final = {
    "batch": "a nightly job in large batches",
    "probe": "a probe that asks the same again and again",
    "evaluation": "an evaluation with as many inputs of each class",
    "chat": "people who chat in bursts",
    "retries": "a client that asks again after a refusal",
}

ATTACK: Final = Attack(
    name="legitimate-use",
    paper="Clopper and Pearson 1934",
    family=Family.CONTROL,
    needs=(Needs.NOTHING,),
    kind=Kind.CLASSIFIER,
    run=_run,
    victims=("digits",),
    quick=("digits",),
    budgets=(10_000,),
    policies=("standard", "coarse", "metered", "sealed"),
    measures=(
        *(Measure(f"false_blocks.{k}", f"share refused of {who}") for k, who in _WHO.items()),
        *(Measure(f"asked.{k}", f"requests of {who}", worse="low") for k, who in _WHO.items()),
        *(
            Measure(f"lowered.{k}", f"share answered in a lower form of {w}")
            for k, w in _WHO.items()
        ),
        *(
            Measure(
                f"latency.{k}.p{share}", f"time of one answer to {who}, {name}", "ms", timed=True
            )
            for k, who in _WHO.items()
            for share, name in ((50, "half take less"), (95, "95 of 100 take less"))
        ),
    ),
    beside=("tiny-lm",),
    bystanders=len(HABITS),
    alone=True,
)

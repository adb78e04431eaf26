"""Split one distillation over many customers.

Paper: Douceur, 2002, "The Sybil Attack", IPTPS: who can make up identities has the shares of all
of them, wherever nobody vouches for who belongs together.

Two attacks, which differ in nothing but in whether the operator knows that the customers belong
together: a budget per cohort counts those together that are known to, and nobody else.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

import numpy as np

from extproc.redteam.answers import Answers
from extproc.redteam.attack import Attack, Family, Finding, Gain, Kind, Measure, Needs
from extproc.redteam.form import Grain, of_answers
from extproc.redteam.oracle import BATCH
from extproc.redteam.scene import Scene

WANTED: Final = 6_000
"""Inputs that the copy is to be made from."""
UNLINKED: Final = (5, 20, 100)
LINKED: Final = (100,)
"""So many customers share them; a cohort's budget is used up by the first try."""

_Run = Callable[[Scene], AsyncIterator[Gain]]


def _split_over(groups: Sequence[int]) -> _Run:
    async def run(scene: Scene) -> AsyncIterator[Gain]:
        first, enough = 0, None
        for customers in groups:
            served, in_detail = await _split(scene, range(first, first + customers))
            yield Finding("served.share", served / WANTED, customers, f"{customers} keys")
            yield Finding("in_detail.share", in_detail / WANTED, customers, f"{customers} keys")
            first += customers
            enough = customers if enough is None and in_detail == WANTED else enough
        if enough is not None:
            yield Finding("keys_needed", enough)

    return run


async def _split(scene: Scene, keys: range) -> tuple[int, int]:
    """How many of the inputs were answered, and how many of them with the first answers' detail."""
    target, oracle = scene.target, scene.classifier()
    inputs = scene.rng.uniform(target.low, target.high, (WANTED, target.dimensions))
    served = in_detail = 0
    for part, key in zip(np.array_split(inputs, len(keys)), keys, strict=True):
        answers = await oracle.ask(part, key=key, batch=min(BATCH, len(part)))
        served += int(answers.served.sum())
        in_detail += _in_detail(answers)
    return served, in_detail


def _in_detail(answers: Answers) -> int:
    """Answers of requests in which scores were told, not labels alone."""
    total = 0
    for at in range(0, len(answers), BATCH):
        served = answers.served[at : at + BATCH]
        if served.any() and answers.scores is not None:
            scores = answers.scores[at : at + BATCH][served]
            told = Answers(answers.labels[at : at + BATCH][served], scores, served[served])
            total += int(served.sum()) if of_answers(told).grain > Grain.LABEL else 0
    return total


def _attack(name: str, groups: Sequence[int], *, linked: bool) -> Attack:
    keys = sum(groups)
    return Attack(
        name=name,
        paper="Douceur, IPTPS 2002",
        family=Family.ABUSE,
        needs=(Needs.MANY_KEYS,),
        kind=Kind.CLASSIFIER,
        run=_split_over(groups),
        victims=("digits",),
        budgets=(WANTED * len(groups),),
        measures=_MEASURES,
        keys=keys,
        tenants=keys,
        linked=linked,
        policies=("none", "metered"),
    )


_MEASURES: Final = (
    Measure("served.share", "share of 6,000 inputs answered, by the number of keys"),
    Measure("in_detail.share", "share of 6,000 inputs answered with scores, by the number of keys"),
    Measure("keys_needed", "keys of those tried that got all of them in detail", "keys", "low"),
)

SYBIL_LINKED: Final = _attack("sybil-linked", LINKED, linked=True)
SYBIL_UNLINKED: Final = _attack("sybil-unlinked", UNLINKED, linked=False)

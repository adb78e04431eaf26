"""Rows that nobody measured, shaped as those of a run are, for the tests of the report."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from math import exp, log
from typing import Any

import numpy as np

from extproc.redteam.attack import Attack, Family, Finding, Gain, Kind, Measure, Needs
from extproc.redteam.report.header import Planned, Prices, Run
from extproc.redteam.row import Row
from extproc.redteam.scene import Scene

POLICIES = ("none", "full", "standard", "coarse", "metered", "sealed")
VICTIMS = {
    "digits": "Softmax regression on 8x8 digits.",
    "forest": "A random forest on the same.",
    "minilm": "Sentence embeddings with a private head.",
}
BUDGETS = (100, 300, 1_000, 3_000, 10_000)
SEEDS = (1, 2, 3, 4, 5)
STRENGTH = {
    "none": 1.0,
    "full": 1.0,
    "standard": 0.8,
    "coarse": 0.5,
    "metered": 0.45,
    "sealed": 0.5,
}


async def _never(scene: Scene) -> AsyncIterator[Gain]:
    for _ in ():
        yield Finding("nothing", 0)


_RICH = Attack(
    name="knockoff",
    paper="Orekondy et al., CVPR 2019",
    family=Family.COPY,
    needs=(Needs.LABELS, Needs.TASK_DATA),
    kind=Kind.CLASSIFIER,
    run=_never,
    victims=("digits", "forest"),
)
ATTACKS = {
    attack.name: attack
    for attack in (
        _RICH,
        replace(_RICH, name="copycat", needs=(Needs.LABELS, Needs.OTHER_DATA)),
        replace(_RICH, name="equation-solving", needs=(Needs.SCORES,), victims=("digits",)),
        replace(_RICH, name="embedding-theft", family=Family.VECTORS, victims=("minilm",)),
        replace(
            _RICH,
            name="membership",
            family=Family.PRIVACY,
            needs=(Needs.MEMBERS,),
            measures=(Measure("membership.auc", "area under the curve of members"),),
        ),
        replace(
            _RICH,
            name="utility",
            family=Family.CONTROL,
            needs=(Needs.NOTHING,),
            measures=(
                Measure("accuracy", "share of answers that are right", worse="low"),
                Measure("false_blocks.batch", "share refused of a nightly job"),
                Measure("asked.batch", "requests of a nightly job", worse="low"),
            ),
        ),
    )
}
RUN = Run(
    version="0.1.0",
    date="2026-11-26",
    command="extproc redteam --seed 1",
    seeds=SEEDS,
    policies=POLICIES,
    plan=tuple(
        Planned(attack.name, victim, policy, BUDGETS[-1])
        for attack in ATTACKS.values()
        for victim in attack.victims
        for policy in POLICIES
    ),
    victims=VICTIMS,
    facts={"Envoy": "1.40", "cores": "2"},
    prices=Prices(per_thousand_queries=0.5, per_key=1.0),
)


def rows(seeds: Sequence[int] = SEEDS) -> list[Row]:
    return [row for name, attack in ATTACKS.items() for row in _rows(name, attack, seeds)]


def row(measure: str = "agreement.task", value: float = 0.5, **others: Any) -> Row:
    """One, with what matters said and the rest assumed."""
    known: dict[str, Any] = {"attack": "knockoff", "victim": "digits", "policy": "none"}
    return Row(**{**known, "seed": 1, "budget": 100, "measure": measure, "value": value, **others})


def _rows(name: str, attack: Attack, seeds: Sequence[int]) -> Iterator[Row]:
    for victim in attack.victims:
        for policy in POLICIES:
            for seed in seeds:
                yield from _trial(name, attack, victim, policy, seed)


def _trial(  # noqa: C901 -- a branch for each kind of row
    name: str, attack: Attack, victim: str, policy: str, seed: int
) -> Iterator[Row]:
    rng = np.random.default_rng([seed, *name.encode(), *victim.encode()])
    power = STRENGTH[policy] * {"copycat": 0.6, "equation-solving": 1.3}.get(name, 1.0)
    noise = float(rng.normal(0, 0.01))

    def made(measure: str, value: float, budget: int = 0, strategy: str = "") -> Row:
        answered = min(budget or BUDGETS[-1], 5_000 if policy == "metered" else BUDGETS[-1])
        return Row(
            attack=name,
            victim=victim,
            policy=policy,
            seed=seed,
            measure=measure,
            value=value,
            budget=budget,
            strategy=strategy,
            queries=answered,
            requests=answered // 100,
            refused=(budget or BUDGETS[-1]) - answered,
            keys=1,
            seconds=answered / 3_000,
        )

    if attack.family in {Family.COPY, Family.VECTORS}:
        for budget in BUDGETS:
            for strategy, worth in (("labels", 0.97), ("scores", 1.0)):
                good = 1 - exp(-power * worth * log(budget) / 1.6 - noise)
                kinds: tuple[str, ...] = ("cosine", "recall_at_10")
                if attack.family is Family.COPY:
                    kinds = ("agreement.task", "agreement.uniform", "agreement.boundary")
                for worse, kind in enumerate(kinds):
                    yield made(kind, min(good ** (1 + worse), 1.0), budget, strategy)
    for measure in attack.measures:
        value = {"membership.auc": 0.5 + 0.1 * power, "false_blocks.batch": 0, "asked.batch": 40}
        drawn = 0.9 + 0.08 * power + noise / 4
        yield made(measure.name, value.get(measure.name, drawn))
    refused = 0.5 if policy == "metered" and attack.family is not Family.CONTROL else 0.0
    yield made("refused.share", refused)
    if refused:
        yield made("served_before_refusal", 5_000)
        yield made("served_before_change", 1_000)

"""One attack on one victim under one policy with one seed, against servers in this process."""

from collections.abc import AsyncIterator
from dataclasses import replace

import numpy as np
import pytest

from extproc.redteam.attack import Copy, Finding, Gain
from extproc.redteam.attacks.roster import ATTACKS
from extproc.redteam.client import Client
from extproc.redteam.judges import judge_of
from extproc.redteam.row import Row
from extproc.redteam.scene import Scene
from extproc.redteam.trial import Trial, run
from tests.redteam.planted_servers import KEY, VICTIM, honest, serving


async def _asks(scene: Scene) -> AsyncIterator[Gain]:
    """Asks as much again as it may."""
    for budget in (*scene.budgets, 10**6):
        answers = await scene.classifier().ask(scene.rng.uniform(-1, 1, (10, 4)), batch=5)
        yield Finding("labels", float(answers.labels.sum()), budget, note="summed")
        if not answers.served.all():
            continue
        yield Copy(budget, lambda inputs: np.zeros(len(inputs), np.int64), "zeros")


ASKS = replace(ATTACKS["equation-solving"], name="asks", run=_asks)


def _trial(url: str, keys: tuple[str, ...] = ()) -> Trial:
    return Trial(ASKS, VICTIM, "p", 7, (10, 20), url, url, keys)


async def test_findings_are_kept_and_copies_judged_until_the_budget_is_spent() -> None:
    async with serving(honest) as url:
        async with Client(url) as client:
            judge = await judge_of(VICTIM, client)
        rows = await run(_trial(url), judge)
    found = {(row.measure, row.budget): row for row in rows}
    assert {budget for measure, budget in found if measure == "labels"} == {10, 20}
    assert found["labels", 20].note == "summed"
    assert found["agreement.task", 10].strategy == "zeros"
    assert (found["agreement.task", 10].queries, found["agreement.task", 20].queries) == (10, 20)
    last = found["refused.share", 0]
    assert last == Row(
        attack="asks",
        victim="planted",
        policy="p",
        seed=7,
        measure="refused.share",
        value=0.0,
        queries=20,
        requests=4,
        keys=1,
        seconds=last.seconds,
    )


def test_the_policy_is_no_part_of_what_is_drawn_but_all_else_is() -> None:
    trial = _trial("http://127.0.0.1")
    drawn = trial.generator().integers(10**9)
    assert replace(trial, policy="q").generator().integers(10**9) == drawn
    others = (
        replace(trial, seed=8),
        replace(trial, attack=replace(ASKS, name="other")),
        replace(trial, victim=replace(VICTIM, name="other")),
    )
    assert all(other.generator().integers(10**9) != drawn for other in others)


async def test_what_is_refused_is_a_result() -> None:
    async with serving(honest, KEY) as url:
        rows = {row.measure: row for row in await run(_trial(url, keys=("xk-no",)), None)}
    assert rows["refused.share"].value == 1.0
    assert rows["served_before_refusal"].value == 0
    assert rows["refused.share"].refused == 20


async def test_a_copy_that_nobody_can_judge_is_told() -> None:
    async with serving(honest) as url:
        with pytest.raises(TypeError, match="asks: nobody judges Copy here"):
            await run(_trial(url), None)


async def test_what_breaks_an_attack_is_told_and_counts_for_no_defence() -> None:
    async def broken(scene: Scene) -> AsyncIterator[Gain]:
        yield Finding("labels", 1.0)
        raise RuntimeError("out of step")

    async with serving(honest) as url:
        with pytest.raises(RuntimeError, match="out of step"):
            await run(replace(_trial(url), attack=replace(ASKS, run=broken)), None)

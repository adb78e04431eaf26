"""Equation solving: exact where nothing is hidden, and no weaker than the reference elsewhere."""

import numpy as np
import pytest

from extproc.redteam.attacks.equation_solving import ATTACK
from extproc.redteam.client import Client
from extproc.redteam.firing_range.firing_range import SHIPPED, gateway, model_server
from extproc.redteam.firing_range.issue import Party
from extproc.redteam.judge import summon
from extproc.redteam.oracle import Budget, Classifier
from extproc.redteam.surrogates.softmax_regression import SoftmaxRegression
from extproc.redteam.trial import Trial, run
from extproc.redteam.victims.roster import VICTIMS
from extproc.redteam.victims.victim import ClassifierVictim
from tests.redteam.local_scene import (
    Known,
    Serve,
    binned,
    cancer,
    digits,
    gains,
    label,
    raw,
    rounded,
    top,
)

SEEDS = 3


async def _agreements(known: Known, serve: Serve, budget: int) -> tuple[list[float], list[float]]:
    """Of the task's inputs and of uniform ones, for each seed."""
    task, uniform = [], []
    for seed in range(SEEDS):
        copies, _ = await gains(ATTACK, known.scene(serve, [budget], seed))
        copy = copies[budget][0].labels
        task.append(known.agreement(copy, known.test))
        uniform.append(known.agreement(copy, known.uniform()))
    return task, uniform


@pytest.mark.parametrize("known", [digits(), cancer()], ids=lambda known: known.victim.name)
@pytest.mark.parametrize("seed", range(SEEDS))
async def test_as_many_scores_as_inputs_and_one_give_the_very_model(
    known: Known, seed: int
) -> None:
    enough = known.victim.dimensions + 1

    copies, _ = await gains(ATTACK, known.scene(raw, [enough - 1, enough], seed))

    uniform = known.uniform()
    exact = copies[enough][0].labels
    assert isinstance(exact, SoftmaxRegression)
    variation = np.abs(exact.probabilities(uniform) - known.model.probabilities(uniform)).sum(1) / 2
    assert variation.max() <= 1e-9
    assert known.agreement(exact, known.test) == 1.0
    short = copies[enough - 1][0].labels
    assert isinstance(short, SoftmaxRegression)
    away = np.abs(short.probabilities(uniform) - known.model.probabilities(uniform)).sum(1) / 2
    assert away.max() > 1e-5


# Agreement with the victim on real and on random inputs, as the reference reports it for the same
# answers and budgets; rows that a harder one beside them covers are left out.  It does not say how
# its questions were chosen: ours are for all inputs, not for those of the task, so that it is the
# mean of both that has to be reached.
REFERENCE = [
    pytest.param(cancer(), rounded(2), 31, 0.993, 0.948, id="cancer-2-decimals-31"),
    pytest.param(cancer(), rounded(1), 155, 0.993, 0.962, id="cancer-1-decimal-155"),
    pytest.param(digits(), rounded(2), 65, 0.958, 0.674, id="digits-2-decimals-65"),
    pytest.param(digits(), rounded(1), 130, 0.877, 0.591, id="digits-1-decimal-130"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("known", "serve", "budget", "task", "uniform"), REFERENCE)
async def test_it_is_no_weaker_than_the_reference(
    known: Known, serve: Serve, budget: int, task: float, uniform: float
) -> None:
    ours = np.mean(await _agreements(known, serve, budget), axis=0)

    error = ours.std(ddof=1) / np.sqrt(SEEDS)
    assert ours.mean() >= (task + uniform) / 2 - 2 * error


@pytest.mark.parametrize("serve", [top(3, 2), binned(3)], ids=["top-3", "3-bins"])
async def test_what_is_left_of_scores_is_worth_more_than_labels(serve: Serve) -> None:
    known = digits()

    parts, _ = await gains(ATTACK, known.scene(serve, [325], 1))
    labels, _ = await gains(ATTACK, known.scene(label, [325], 1))

    uniform = known.uniform()
    assert parts[325][0].strategy == "scores"
    assert labels[325][0].strategy == "labels"
    assert (
        known.agreement(parts[325][0].labels, uniform)
        >= known.agreement(labels[325][0].labels, uniform) - 0.05
    )


async def test_the_same_seed_asks_the_same_and_gets_the_same() -> None:
    scenes = [digits().scene(rounded(2), [65, 100], 3) for _ in range(2)]

    copies = [(await gains(ATTACK, scene))[0][100][0].labels for scene in scenes]

    asked = [np.concatenate(scene.local.asked).tobytes() for scene in scenes]
    assert asked[0] == asked[1]
    uniform = digits().uniform()
    assert (copies[0](uniform) == copies[1](uniform)).all()


async def test_one_that_is_refused_from_the_start_gets_no_copy_and_comes_to_an_end() -> None:
    scene = digits().scene(raw, [65, 100], 3, refuse_after=0)

    assert await gains(ATTACK, scene) == ({}, [])
    assert scene.budget.left == 0


@pytest.mark.e2e
async def test_through_a_real_gateway_all_is_exact_and_less_is_less() -> None:
    victim = VICTIMS["digits"]()
    assert isinstance(victim, ClassifierVictim)
    policies = ("full", "standard", "coarse")
    parties = [Party(policy, policy) for policy in policies]
    async with model_server(("digits",)) as url, Client(url) as bare:
        direct = Classifier(bare, victim.adapter, victim.classes, Budget(10**9))
        judge = await summon(victim, direct.ask)
        async with gateway(SHIPPED, url, 1, parties) as served:
            told = {}
            for policy, address in [("none", url), *((name, served.url) for name in policies)]:
                keys = served.keys.get(policy, ())
                trial = Trial(ATTACK, victim, policy, 1, (65, 1_000), address, url, keys)
                for row in await run(trial, judge):
                    told[policy, row.measure, row.budget] = row.value

    for policy in ("none", "full"):
        for kind in ("task", "uniform", "boundary"):
            assert told[policy, f"agreement.{kind}", 65] == 1.0
    assert told["standard", "agreement.uniform", 1_000] > 0.9
    assert told["standard", "agreement.boundary", 1_000] < 1.0
    assert 0.75 < told["coarse", "agreement.uniform", 1_000] < 0.97


async def test_a_copy_has_asked_as_much_as_its_budget_and_there_is_one_of_each() -> None:
    scene = cancer().scene(raw, [31, 65, 100], 1)
    budgets = []
    async for gain in ATTACK.run(scene):
        budgets.append(gain.budget)
        assert sum(map(len, scene.local.asked)) == gain.budget
    assert budgets == [31, 65, 100]

"""A pool is asked about from its first to its last."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from extproc.redteam.answers import Floats
from extproc.redteam.attack import Attack
from extproc.redteam.attacks import copycat, distillation, knockoff_random
from extproc.redteam.attacks.from_pool import distilled
from extproc.redteam.surrogates.choice import Chooser, Family
from tests.redteam.digits_tasks import task
from tests.redteam.local import LocalClient, Task, copies, scene


def test_each_copy_is_of_the_first_inputs_and_no_input_is_asked_about_twice() -> None:
    plain = task("logistic regression", 600)
    client = LocalClient(plain.scores)
    before = scene(plain, client, (20, 50), 0)
    chooser = Chooser(plain.low, plain.high, np.random.default_rng(0))

    async def budgets() -> list[int]:
        return [copy.budget async for copy in distilled(before, plain.natural, chooser)]

    assert asyncio.run(budgets()) == [20, 50]
    assert np.array_equal(np.concatenate(client.asked), plain.natural[:50])


def _scores(inputs: Floats) -> Floats:
    scores: Floats = np.eye(2)[(inputs[:, 0] > 0.5).astype(int)]
    return scores


def _small(count: int) -> Task:
    rng = np.random.default_rng(1)
    task, natural, test = rng.random((3, count, 2))
    return Task(_scores, 2, np.zeros(2), np.ones(2), task, natural, test)


@pytest.mark.parametrize(("slow", "budgets"), [(False, [100, 300, 400]), (True, [100, 300])])
async def test_a_pool_suffices_for_as_many_as_it_has_and_a_slow_victim_for_few(
    slow: bool, budgets: list[int]
) -> None:
    small = _small(400)
    here = scene(small, LocalClient(small.scores), (100, 300, 400, 500), 0)
    here = replace(here, victim=replace(here.target, slow=slow))
    chooser = Chooser(small.low, small.high, here.rng, families=(Family.SOFTMAX,))
    assert [copy.budget async for copy in distilled(here, small.task, chooser)] == budgets


@pytest.mark.parametrize("attack", [copycat.ATTACK, knockoff_random.ATTACK])
async def test_who_has_natural_inputs_asks_about_these_in_an_order_that_is_drawn(
    attack: Attack,
) -> None:
    small, orders = _small(120), list[Floats]()
    for seed in (1, 1, 2):
        client = LocalClient(small.scores)
        await copies(attack, small, (60,), client=client, seed=seed)
        orders.append(np.concatenate(client.asked))
        assert {row.tobytes() for row in orders[-1]} <= {row.tobytes() for row in small.natural}
    assert np.array_equal(orders[0], orders[1])
    assert not np.array_equal(orders[0], orders[2])
    assert not np.array_equal(orders[0], small.natural[:60])


async def test_who_has_the_tasks_inputs_asks_about_the_real_ones_first() -> None:
    small = _small(300)
    client = LocalClient(small.scores)
    await copies(distillation.ATTACK, small, (200, 260), client=client)
    asked = [row.tobytes() for row in np.concatenate(client.asked)]
    own = [row.tobytes() for row in small.task]
    assert set(asked[: small.real]) == set(own[: small.real])
    assert set(asked[small.real :]) <= set(own[small.real :])
    assert asked[: small.real] != own[: small.real]

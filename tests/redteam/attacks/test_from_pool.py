"""A pool is asked about from its first to its last."""

import asyncio

import numpy as np

from extproc.redteam.attacks.from_pool import distilled
from extproc.redteam.surrogates.choice import Chooser
from tests.redteam.digits_tasks import task
from tests.redteam.local import LocalClient, scene


def test_each_copy_is_of_the_first_inputs_and_no_input_is_asked_about_twice() -> None:
    plain = task("logistic regression", 600)
    client = LocalClient(plain.scores)
    before = scene(plain, client, (20, 50), 0)
    chooser = Chooser(plain.low, plain.high, np.random.default_rng(0))

    async def budgets() -> list[int]:
        return [copy.budget async for copy in distilled(before, plain.natural, chooser)]

    assert asyncio.run(budgets()) == [20, 50]
    assert np.array_equal(np.concatenate(client.asked), plain.natural[:50])

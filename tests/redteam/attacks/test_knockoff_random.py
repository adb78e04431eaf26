"""Random knockoffs: natural inputs copy a regression; what is withheld or refused slows them."""

import asyncio

import numpy as np

from extproc.redteam.attacks.knockoff_random import ATTACK
from tests.redteam.digits_tasks import task
from tests.redteam.local import MODES, LocalClient, agreements, copies, full

TASK = task("logistic regression", 1_200)


def test_photographs_copy_a_regression_on_digits_whole_from_its_scores() -> None:
    assert asyncio.run(agreements(ATTACK, TASK, (100, 300)))[-1] > 0.98


def test_the_same_seed_asks_the_same_whatever_is_answered() -> None:
    asked = []
    for mode in ("full", "label"):
        client = LocalClient(TASK.scores, MODES[mode])
        asyncio.run(copies(ATTACK, TASK, (100,), client=client))
        asked.append(np.concatenate(client.asked))
    assert np.array_equal(asked[0], asked[1])


def test_what_is_refused_ends_in_copies_of_what_was_answered() -> None:
    refusing = LocalClient(TASK.scores, full, refuse_after=100)
    found = asyncio.run(copies(ATTACK, TASK, (100, 300), client=refusing))
    assert [copy.budget for copy in found] == [100, 300]
    assert refusing.meter.refused == 200


def test_a_pool_that_ends_ends_the_copies() -> None:
    found = asyncio.run(copies(ATTACK, task("logistic regression", 600), (100, 3_000)))
    assert [copy.budget for copy in found] == [100]

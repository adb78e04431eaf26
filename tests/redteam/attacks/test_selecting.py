"""Active attacks ask about what they select, each input once."""

import asyncio

import numpy as np

from extproc.redteam.attacks.active_entropy import ATTACK
from extproc.redteam.attacks.selecting import spread
from tests.redteam.digits_tasks import task
from tests.redteam.local import LocalClient, copies


def test_a_spread_takes_the_farthest_first_and_none_twice() -> None:
    points = np.array([[0.0], [0.1], [10.0], [5.2]])
    assert spread(points, 4, 0).tolist() == [0, 2, 3, 1]
    assert sorted(spread(np.zeros((3, 1)), 3, 0)) == [0, 1, 2]


def test_no_input_is_asked_about_twice_and_all_are_of_the_pool() -> None:
    plain = task("logistic regression", 700)
    client = LocalClient(plain.scores)
    found = asyncio.run(copies(ATTACK, plain, (100, 400, 3_000), client=client))
    assert [copy.budget for copy in found] == [100, 400]
    pool = {row.tobytes() for row in plain.natural}
    asked = [row.tobytes() for row in np.concatenate(client.asked)]
    assert set(asked) <= pool
    assert len(set(asked)) >= len(set(asked) & pool) > 350

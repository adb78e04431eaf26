"""Active attacks ask about what they select, each input once."""

import asyncio

import numpy as np
import pytest

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.attack import Attack
from extproc.redteam.attacks import active_boundary, active_centres, active_entropy
from extproc.redteam.attacks.active_entropy import ATTACK
from extproc.redteam.attacks.selecting import selected, spread
from extproc.redteam.surrogates.pupil import Pupil
from tests.redteam.digits_tasks import task
from tests.redteam.local import LocalClient, Task, copies, scene


def _scores(inputs: Floats) -> Floats:
    scores: Floats = np.eye(2)[(inputs[:, 0] > 0.5).astype(int)]
    return scores


def _small(count: int) -> Task:
    rng = np.random.default_rng(1)
    task, natural = rng.random((count, 2)), rng.random((count, 2))
    return Task(_scores, 2, np.zeros(2), np.ones(2), task, natural, task)


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


async def test_rounds_double_what_was_asked_and_ask_what_was_selected() -> None:
    small, counts = _small(400), list[int]()
    client = LocalClient(small.scores)
    here = scene(small, client, (400,), 0)
    chosen: list[Floats] = []

    def last(pupil: Pupil, inputs: Floats, count: int) -> Ints:
        counts.append(count)
        chosen.append(inputs[-count:])
        return np.arange(len(inputs) - count, len(inputs))

    found = [copy async for copy in selected(here, here.target.natural, last)]
    assert [copy.budget for copy in found] == [400], "a pool that is just large enough is"
    assert counts == [50, 100], "of fifty and fifty, then a hundred; the last two hundred are all"
    asked = np.concatenate(client.asked)
    assert np.array_equal(asked[50:200], np.concatenate(chosen))
    assert len(np.unique(asked, axis=0)) == 400


@pytest.mark.parametrize(
    "attack", [active_boundary.ATTACK, active_centres.ATTACK, active_entropy.ATTACK]
)
async def test_what_is_asked_is_natural_and_none_of_the_tasks_own(attack: Attack) -> None:
    small = _small(120)
    client = LocalClient(small.scores)
    await copies(attack, small, (100,), client=client)
    natural = {row.tobytes() for row in small.natural}
    assert {row.tobytes() for row in np.concatenate(client.asked)} <= natural

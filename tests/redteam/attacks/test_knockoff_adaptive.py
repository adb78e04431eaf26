"""The adaptive knockoff: its bandit prefers what pays, and it is no worse than drawing."""

import numpy as np
import pytest

from extproc.redteam.answers import Answers, Floats, Ints
from extproc.redteam.attacks.knockoff_adaptive import ATTACK, Bandit, kinds, rewards
from tests.redteam.drawing import no_worse_than_drawing
from tests.redteam.local import LocalClient, Task, copies


def test_a_kind_that_pays_is_drawn_more_and_an_empty_one_never() -> None:
    bandit = Bandit([list(range(500)), list(range(500)), []], np.random.default_rng(0))
    for _ in range(10):
        _, drawn = bandit.draw(20)
        bandit.pay(drawn, (drawn == 1).astype(np.float64))
    shares = bandit.shares()
    assert shares[1] > 0.8
    assert shares[2] == 0


def test_what_pays_as_much_as_all_did_on_average_changes_nothing() -> None:
    bandit = Bandit([[0], [1]], np.random.default_rng(0))
    bandit.pay(np.array([0, 1]), np.array([2.0, 2.0]))
    bandit.pay(np.array([0]), np.array([2.0]))
    assert bandit.shares().tolist() == [0.5, 0.5]
    bandit.pay(np.array([0]), np.array([3.0]))
    assert bandit.shares()[0] > 0.5


def _scores(inputs: Floats) -> Floats:
    scores: Floats = np.eye(2)[(inputs[:, 0] > 0.5).astype(int)]
    return scores


async def test_it_is_paid_for_what_it_asked_and_asks_as_much_as_it_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paid: list[int] = []
    really = Bandit.pay

    def noted(self: Bandit, kinds: Ints, rewards: Floats) -> None:
        paid.append(len(rewards))
        assert len(kinds) == len(rewards)
        really(self, kinds, rewards)

    monkeypatch.setattr(Bandit, "pay", noted)
    natural = np.random.default_rng(1).random((200, 2))
    task = Task(_scores, 2, np.zeros(2), np.ones(2), natural[:20], natural, natural[:20])
    client = LocalClient(task.scores)
    found = await copies(ATTACK, task, (60, 120), client=client)
    assert [copy.budget for copy in found] == [60, 120]
    assert len(np.concatenate(client.asked)) == 120
    assert sum(paid) == 120 - 50, "but for the first round, of which no copy could say anything"


def test_a_draw_takes_each_place_once_and_ends_with_the_pool() -> None:
    bandit = Bandit([[0, 1, 2], [3, 4]], np.random.default_rng(0))
    places, drawn = bandit.draw(10)
    assert sorted(places) == [0, 1, 2, 3, 4]
    assert [int(kind) for kind in drawn] == [0 if place < 3 else 1 for place in places]


def test_an_answer_pays_for_certainty_for_being_new_and_for_being_unforeseen() -> None:
    told = Answers(np.array([0, 1]), np.array([[0.5, 0.5], [0, 1]]), np.ones(2, bool))
    paid = rewards(told, np.array([0.9, 0.1]), np.array([[0.5, 0.5], [0.9, 0.1]]))
    assert paid.tolist() == [0, 3]


def test_kinds_hold_every_input_once() -> None:
    pool = np.random.default_rng(0).random((200, 4))
    found = kinds(pool, np.zeros(4), np.ones(4), np.random.default_rng(1))
    assert sorted(place for kind in found for place in kind) == list(range(200))


@pytest.mark.slow
async def test_it_is_no_worse_than_drawing() -> None:
    assert await no_worse_than_drawing(ATTACK)

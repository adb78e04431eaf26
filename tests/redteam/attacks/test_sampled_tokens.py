"""Which ways in tell or say what is drawn, what is noted of it, and which seed is asked next."""

from typing import Any

import numpy as np
import orjson
import pytest

from extproc.redteam.attacks.sampled_tokens import Seeds, Table, Way, open_ways, told
from extproc.redteam.oracle import Budget, BudgetSpent
from extproc.redteam.request import Reply, Request
from extproc.redteam.scene import Scene
from extproc.redteam.victims.victim import LanguageVictim
from tests.redteam.planted import Planted

VICTIM = LanguageVictim("planted", "A planted one.", 9, 2, ["a"], {"model": "p"})
ENTRY = {"bytes": [97], "logprob": -1.0, "top_logprobs": [{"bytes": [98], "logprob": -0.5}]}


def _document(asked: dict[str, Any], most: int) -> dict[str, Any]:
    logprobs = {"content": [ENTRY]} if asked.get("logprobs") else None
    choice = {"message": {"content": "a"}, "logprobs": logprobs}
    return {"choices": [{"index": at, **choice} for at in range(min(most, asked["n"]))]}


def _scene(budget: int) -> Scene:
    def answer(request: Request) -> tuple[int, object]:
        asked = orjson.loads(request.body)
        if request.path == "/v1/completions":
            return 200, _document(asked, 2)
        if request.path != "/v1/chat/completions" or (asked["n"] > 1 and "logprobs" in asked):
            return 400, {}
        return 200, _document(asked, 8)

    client = Planted(answer, "gateway")
    return Scene(VICTIM, client, client, Budget(budget), (budget,), np.random.default_rng(0))


async def test_the_way_with_the_most_draws_comes_first() -> None:
    scene = _scene(100)
    telling, saying = await open_ways(scene, "a")
    assert (telling[0].alias.name, telling[0].draws) == ("completions", 2)
    assert all(way.draws == 1 for way in telling[1:])
    assert (saying[0].alias.name, saying[0].choices, saying[0].draws) == ("chat", 8, 8)
    assert scene.budget.left == 100 - 64


async def test_no_more_is_asked_than_the_budget_has() -> None:
    scene = _scene(66)
    way: Way = (await open_ways(scene, "a"))[1][0]
    assert len(await way.ask(["a", "b"])) == 2
    with pytest.raises(BudgetSpent):
        await way.ask(["a"])


def test_of_a_draw_the_likeliest_tokens_are_told_too() -> None:
    body = orjson.dumps(_document({"n": 1, "logprobs": True}, 1))
    assert told(Reply(200, (), body, 0.0, 0.0)) == {b"a": -1.0, b"b": -0.5}


def test_a_table_has_a_column_for_each_spelling() -> None:
    table = Table(np.full((2, 3), np.nan))
    assert table.add(0, {b"x": -1.0, b"y": -2.0}) == [0, 1]
    assert table.add(1, {b"y": -3.0, b"z": -4.0}) == [1, 2]
    assert table.names([2, 0]) == [b"z", b"x"]
    np.testing.assert_equal(table.values, [[-1.0, -2.0, np.nan], [np.nan, -3.0, -4.0]])


def test_the_seed_that_drew_what_is_lacking_is_asked_next_and_once_for_a_context() -> None:
    seeds = Seeds.none(np.random.default_rng(0), most=9, contexts=3, vocabulary=4)
    first = seeds.choose(0, np.array([1, 2]), 0.5)
    second = seeds.choose(0, np.array([1, 2]), 0.6)
    assert (first, second) == (0, 1)
    assert seeds.known[0][0] != seeds.known[1][0]
    seeds.drew[first, 3] += 1
    seeds.drew[second, 2] += 1
    assert seeds.choose(1, np.array([1, 2]), 0.5) == second
    assert seeds.choose(1, np.array([1, 2]), 0.5) == 2  # a new one: none is left that drew either
    assert seeds.choose(2, np.array([3]), 0.5) == first

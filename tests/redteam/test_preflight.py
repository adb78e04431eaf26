"""What is looked at before anything is measured, against servers that are planted wrong."""

from dataclasses import replace

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from extproc.redteam.answers import Floats
from extproc.redteam.firing_range.firing_range import free_port
from extproc.redteam.preflight import Door, Unattackable, preflight, warnings
from extproc.redteam.probe import PROMPTS
from tests.redteam.planted_servers import ANY, KEY, VICTIM, Say, honest, serving
from tests.redteam.test_probe import LANGUAGE

VICTIMS = {"planted": VICTIM}
TALKERS = {"l": replace(LANGUAGE, prompts=[f"prompt {at}" for at in range(PROMPTS)])}


def _rounded(inputs: Floats, model: str) -> Floats:
    return np.round(honest(inputs, model), 4)


def _constant(inputs: Floats, model: str) -> Floats:
    return honest(np.zeros_like(inputs), model)


def _any_model(inputs: Floats, model: str) -> Floats:
    return honest(inputs, "planted")


def _relabelled(inputs: Floats, model: str) -> Floats:
    return np.roll(honest(inputs, model), 1, axis=1)


def _refusing(inputs: Floats, model: str) -> Floats:
    return honest(inputs, "nobody")


async def _looked(behind: Say, before: Say, key: str | None = KEY) -> dict[str, float]:
    async with serving(behind) as bare, serving(before, key) as gateway:
        rows = await preflight(VICTIMS, bare, [Door("gold", gateway, (KEY,))])
    _looked_warnings[:] = warnings(rows)
    return {row.measure: row.value for row in rows}


_looked_warnings: list[str] = []


async def test_a_policy_that_rounds_changes_every_answer_and_no_label_and_is_no_news() -> None:
    found = await _looked(honest, _rounded)
    assert found == {"policy.serves": 1, "policy.changes": 1, "policy.other_labels": 0}
    assert _looked_warnings == []


async def test_a_policy_that_changes_nothing_is_said() -> None:
    assert (await _looked(honest, honest))["policy.changes"] == 0
    assert _looked_warnings == ["gold changes nothing of what planted answers: it protects nothing"]


async def test_a_gateway_that_answers_something_else_is_said() -> None:
    assert (await _looked(honest, _relabelled))["policy.other_labels"] == 1
    assert _looked_warnings == [
        "gold answers something else than planted does: 100% of labels differ"
    ]


async def test_a_policy_that_refuses_whatever_it_is_asked_is_said() -> None:
    assert await _looked(honest, _refusing) == {"policy.serves": 0}
    assert _looked_warnings == ["gold refuses harmless questions to planted"]


async def test_a_gateway_that_lets_in_anybody_is_off() -> None:
    with pytest.raises(
        Unattackable, match="is off: a request without a key was answered under gold"
    ):
        await _looked(honest, _rounded, key=None)


async def test_a_gateway_that_lets_in_anybody_with_any_key_is_off() -> None:
    with pytest.raises(
        Unattackable, match="is off: a request with a key that nobody has was answered under gold"
    ):
        await _looked(honest, _rounded, key=ANY)


async def test_a_door_behind_which_nothing_is_compared_is_only_asked_whether_it_serves() -> None:
    async with serving(honest) as bare, serving(_rounded, KEY) as gateway:
        rows = await preflight(VICTIMS, bare, [Door("mine", gateway, (KEY,), compared=False)])
    assert [(row.policy, row.measure, row.value) for row in rows] == [("mine", "policy.serves", 1)]


def _chat(*unanswered: str, prefix: str = "") -> TestServer:
    """A model that repeats what it is told, but for some prompts."""

    async def complete(request: web.Request) -> web.Response:
        asked = await request.json()
        [said] = asked["messages"]
        if said["content"] in unanswered or asked["model"] != "m":
            raise web.HTTPTooManyRequests
        return web.json_response({"choices": [prefix + said["content"]]})

    app = web.Application()
    app.router.add_post("/v1/chat/completions", complete)
    return TestServer(app)


async def test_a_model_that_leaves_one_question_unanswered_ends_the_run() -> None:
    async with _chat("prompt 2") as server:
        with pytest.raises(Unattackable, match="does not answer harmless questions"):
            await preflight(TALKERS, str(server.make_url("")), [])


async def test_what_is_refused_is_no_answer_that_was_changed() -> None:
    async with _chat() as bare, _chat("prompt 2", prefix="so: ") as gateway:
        door = Door("gold", str(gateway.make_url("")), ())
        rows = await preflight(TALKERS, str(bare.make_url("")), [door])
    found = {row.measure: row.value for row in rows}
    assert found == {"policy.serves": 0.75, "policy.changes": 1, "policy.other_labels": 0}


async def test_a_model_that_ignores_what_it_is_asked_ends_the_run() -> None:
    with pytest.raises(Unattackable, match="ignores what it is asked: 20 questions got one"):
        await _looked(_constant, _constant)


async def test_a_server_that_ignores_which_model_is_asked_for_ends_the_run() -> None:
    with pytest.raises(Unattackable, match="ignores which model it is asked for"):
        await _looked(_any_model, _any_model)


async def test_a_victim_that_does_not_answer_ends_the_run() -> None:
    with pytest.raises(Unattackable, match="does not answer harmless questions"):
        await _looked(_refusing, _refusing)


async def test_where_nothing_answers_there_is_nothing_to_measure() -> None:
    with pytest.raises(Unattackable, match="nothing answers at http://127"):
        await preflight(VICTIMS, f"http://127.0.0.1:{free_port()}", [])


async def test_a_victim_that_says_something_else_each_time_is_not_compared() -> None:
    rng = np.random.default_rng(1)

    def noisy(inputs: Floats, model: str) -> Floats:
        return honest(inputs + rng.normal(0, 1e-6, inputs.shape), model)

    assert await _looked(noisy, noisy) == {"policy.serves": 1}


async def test_a_policy_that_is_meant_to_change_nothing_is_no_news() -> None:
    async with serving(honest) as bare, serving(honest, KEY) as gateway:
        rows = await preflight(VICTIMS, bare, [Door("full", gateway, (KEY,))])
    assert warnings(rows, ("full",)) == []


def test_each_victim_is_asked_about_with_another_key_as_far_as_there_are_some() -> None:
    door = Door("gold", "http://gateway", ("a", "b"))
    assert [door.by(at).keys for at in range(3)] == [("a",), ("b",), ("a",)]
    assert Door("mine", "http://gateway", ()).by(1).keys == ()


async def test_who_is_taken_for_a_thief_by_one_victim_asks_about_the_next_as_another() -> None:
    """The second victim is asked about with the second key, which alone is let in."""
    victims = {"planted": VICTIM, "again": replace(VICTIM, name="again")}
    async with serving(honest) as bare, serving(honest, "xk-second") as gateway:
        rows = await preflight(victims, bare, [Door("gold", gateway, ("xk-first", "xk-second"))])
    serves = {row.victim: row.value for row in rows if row.measure == "policy.serves"}
    assert serves == {"planted": 0, "again": 1}


async def test_a_victim_that_nobody_attacks_under_a_policy_is_not_looked_at_there() -> None:
    async with serving(honest) as bare, serving(_refusing, KEY) as gateway:
        doors = [Door("gold", gateway, (KEY,)), Door("silver", gateway, (KEY,))]
        rows = await preflight(VICTIMS, bare, doors, tried={("planted", "gold")})
    assert [row.policy for row in rows] == ["gold"]

"""Copies of digits that were marked, and what becomes of them."""

import asyncio
from dataclasses import replace
from functools import cache

import numpy as np
import orjson

from extproc.redteam.adapters.kserve import Kserve
from extproc.redteam.answers import Floats
from extproc.redteam.attack import Copy, Finding, Gain
from extproc.redteam.attacks.laundering import ATTACK
from extproc.redteam.oracle import Budget
from extproc.redteam.owner.found import CLEAN, STOLEN, parted
from extproc.redteam.request import Request
from extproc.redteam.scene import Scene
from tests.redteam import planted
from tests.redteam.digits_tasks import task
from tests.redteam.local import LocalClient

TASK = task("logistic regression", 2_500)
COUNT = 300
EVERY = 20
"""One answer of so many is marked, each with the class that is next."""


def _rows(request: Request) -> Floats:
    [tensor] = orjson.loads(request.body)["inputs"]
    return np.array(tensor["data"], np.float64).reshape(tensor["shape"])


def _document(scores: Floats) -> object:
    return {"outputs": [{"name": "probabilities", "data": scores.ravel().tolist()}]}


def _marked(inputs: Floats) -> Floats:
    """Whichever rows have a sum that divides evenly, asked alone or among others."""
    scores = TASK.scores(inputs)
    for row in np.flatnonzero(np.rint(inputs.sum(axis=1)) % EVERY == 0):
        both = np.argsort(-scores[row])[:2]
        scores[row, both] = scores[row, both[::-1]]
    return scores


def _scene(*, refused: bool = False) -> Scene:
    def gateway(request: Request) -> tuple[int, object]:
        if refused:
            return 429, {}
        asked.append((request.key, _rows(request)))
        return 200, _document(_marked(asked[-1][1]))

    def model(request: Request) -> tuple[int, object]:
        return 200, _document(TASK.scores(_rows(request)))

    asked = list[tuple[int | None, Floats]]()
    victim = TASK.victim(LocalClient(TASK.scores))
    return Scene(
        replace(victim, adapter=Kserve("digits", "image", 10)),
        planted.Planted(gateway, "gateway"),
        planted.Planted(model, "model"),
        Budget(COUNT),
        (COUNT,),
        np.random.default_rng(1),
    )


async def _gains(scene: Scene) -> list[Gain]:
    return [gain async for gain in ATTACK.run(scene)]


@cache
def _stolen() -> tuple[Scene, list[Gain]]:
    """Once for all tests."""
    scene = _scene()
    return scene, asyncio.run(_gains(scene))


def test_what_learns_by_heart_says_marks_and_what_was_never_marked_does_not() -> None:
    _, gains = _stolen()
    copies = {gain.strategy: gain.labels for gain in gains if isinstance(gain, Copy)}
    [relabelled] = [gain.value for gain in gains if isinstance(gain, Finding)]
    pool = TASK.natural
    truth, told = (scores(pool).argmax(axis=1) for scores in (TASK.scores, _marked))
    marks = truth != told
    assert 0 < relabelled < 3 * np.mean(marks)
    said = {name: np.mean(copy(pool[marks]) == told[marks]) for name, copy in copies.items()}
    for name in ("perceptron", "forest"):
        # It was told of 300 of 2,500, and of the others at random.
        assert said[f"{name}, {STOLEN}"] > said[f"{name}, {CLEAN}"] + 0.05
    assert {surrogate for surrogate, _ in map(parted, copies)} == {
        "perceptron",
        "forest",
        "own choice",
    }
    assert all(gain.budget == COUNT for gain in gains if isinstance(gain, Copy))


def test_a_bystander_asks_about_other_inputs_with_a_key_of_his_own() -> None:
    scene, _ = _stolen()
    assert scene.client.meter.queries == 2 * COUNT
    assert scene.client.meter.keys == {0, 1}
    assert scene.budget.left == 0


async def test_who_is_refused_has_nothing_to_launder() -> None:
    assert await _gains(_scene(refused=True)) == []

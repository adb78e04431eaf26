"""What a removal costs, of a regression on digits and of a planted head."""

import asyncio

import pytest

from extproc.redteam.attack import Attack, Finding
from extproc.redteam.attacks.laundering import LABELS, VECTORS
from extproc.redteam.scene import Scene
from tests.redteam import planted
from tests.redteam.digits_tasks import task
from tests.redteam.local import MODES, LocalClient, full
from tests.redteam.local import scene as local_scene

TASK = task("logistic regression", 2_500)


async def _found(attack: Attack, scene: Scene) -> dict[str, float]:
    gains = [gain async for gain in attack.run(scene)]
    assert all(isinstance(gain, Finding) for gain in gains)
    return {gain.measure: gain.value for gain in gains if isinstance(gain, Finding)}


def _of_digits(client: LocalClient, seed: int = 1) -> dict[str, float]:
    return asyncio.run(_found(LABELS, local_scene(TASK, client, (600,), seed)))


def test_a_copy_of_digits_loses_little_to_a_vote_and_more_to_a_forest() -> None:
    found = _of_digits(LocalClient(TASK.scores, MODES["full"]))
    assert set(found) == {measure.name for measure in LABELS.measures}
    assert found["held.as_stolen"] > 0.9
    assert abs(found["lost.smoothed"]) < 0.03
    assert found["lost.smoothed"] <= found["lost.distilled"] < 0.2
    assert found == _of_digits(LocalClient(TASK.scores, MODES["full"]))


def test_who_is_answered_nothing_has_nothing_to_lose() -> None:
    assert _of_digits(LocalClient(TASK.scores, full, refuse_after=0)) == {}


async def test_a_rotation_costs_nothing_and_half_of_the_dimensions_what_was_in_them() -> None:
    found = await _found(VECTORS, planted.scene(planted.victim(400), [400]))
    assert set(found) == {measure.name for measure in VECTORS.measures}
    assert found["held.as_stolen"] > 0.98
    assert found["lost.turned"] == pytest.approx(0, abs=1e-9)
    assert 0 <= found["lost.rounded"] < 0.001
    assert found["lost.cut"] > 0.02


async def test_vectors_that_are_refused_are_no_copy() -> None:
    refusing = planted.scene(planted.victim(50), [40], refuse=lambda _: True)
    assert await _found(VECTORS, refusing) == {}

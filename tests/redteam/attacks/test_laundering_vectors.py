"""Copies of vectors that were moved, and what becomes of them."""

from extproc.redteam.attack import Finding, Gain, VectorCopy
from extproc.redteam.attacks.laundering_vectors import ATTACK
from extproc.redteam.owner.found import CLEAN, STOLEN
from extproc.redteam.scene import Scene
from extproc.redteam.vector_judge import aligned_cosine, unit
from tests.redteam import planted

COUNT = 300


async def _gains(scene: Scene) -> list[Gain]:
    return [gain async for gain in ATTACK.run(scene)]


async def test_a_rotation_costs_a_copy_nothing_and_a_cut_what_was_in_it() -> None:
    scene = planted.scene(planted.victim(2 * COUNT), [COUNT])
    gains = await _gains(scene)
    copies = {gain.strategy: gain for gain in gains if isinstance(gain, VectorCopy)}
    texts = list(scene.embedding.test)
    truth = unit(planted.private_vectors(texts))
    worth = {name: aligned_cosine(unit(copy.embed(texts)), truth) for name, copy in copies.items()}
    stolen = worth[f"on the public model, {STOLEN}"]
    assert stolen > 0.95
    assert abs(worth["on the public model, rotated"] - stolen) < 1e-9
    assert abs(worth["on the public model, rounded to eight bits"] - stolen) < 0.01
    assert worth["on the public model, cut to an eighth of the axes"] < stolen - 0.1
    assert abs(worth[f"on the public model, {CLEAN}"] - stolen) < 1e-9, "nothing was moved here"
    assert {len(copy.asked) for copy in copies.values()} == {COUNT}
    [served] = [gain for gain in gains if isinstance(gain, Finding)]
    assert served.measure == "served.cosine"
    assert served.value > 1 - 1e-9


async def test_vectors_that_are_refused_are_no_copy() -> None:
    refusing = planted.scene(planted.victim(50), [30], refuse=lambda _: True)
    assert await _gains(refusing) == []

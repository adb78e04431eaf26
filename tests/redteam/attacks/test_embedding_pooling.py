"""Twenty keys with planted rotations: what they have in common is found, and what not is not."""

from collections.abc import Sequence

import numpy as np

from extproc.redteam.answers import Floats
from extproc.redteam.attack import VectorCopy
from extproc.redteam.attacks.embedding_pooling import ATTACK, KEYS
from extproc.redteam.request import Request
from extproc.redteam.scene import Scene
from extproc.redteam.vector_judge import aligned_cosine, unit
from tests.redteam import planted

TURNS = [
    np.linalg.qr(np.random.default_rng(key).normal(size=(planted.HEAD, planted.HEAD)))[0]
    for key in range(KEYS)
]


def _turned(vectors: Floats, key: int, _texts: Sequence[str]) -> Floats:
    turned: Floats = vectors @ TURNS[key]
    return turned


async def _copies(scene: Scene) -> dict[tuple[int, str], float]:
    test = list(scene.embedding.test)
    truth = planted.private_vectors(test)
    return {
        (gain.budget, gain.strategy): aligned_cosine(unit(gain.embed(test)), truth)
        async for gain in ATTACK.run(scene)
        if isinstance(gain, VectorCopy)
    }


async def test_keys_without_rotation_are_one_heap() -> None:
    found = await _copies(planted.scene(planted.victim(400), [402]))
    assert set(found) == {(402, "one heap")}
    assert found[402, "one heap"] > 0.99


async def test_rotation_spoils_the_heap_and_not_those_who_align_it() -> None:
    found = await _copies(planted.scene(planted.victim(1_300), [402, 1_202], _turned))
    assert found[1_202, "one heap"] < found[1_202, "shared texts"] - 0.15
    assert found[402, "public model"] > found[402, "one key of them"] + 0.05
    assert found[1_202, "shared texts"] > 0.95
    assert found[1_202, "public model"] > 0.95


async def test_without_a_public_model_n_grams_of_aligned_answers_are_left() -> None:
    found = await _copies(planted.scene(planted.victim(1_300, based=False), [1_202], _turned))
    assert set(found) == {
        (1_202, "one heap"),
        (1_202, "one key of them"),
        (1_202, "shared texts"),
    }
    assert found[1_202, "shared texts"] > found[1_202, "one heap"]


async def test_every_key_asks_its_share_and_no_more() -> None:
    scene = planted.scene(planted.victim(400), [202], _turned)
    await _copies(scene)
    assert scene.client.meter.keys == set(range(KEYS))
    assert scene.client.meter.queries == 202


async def test_what_does_not_go_into_even_shares_is_not_asked() -> None:
    scene = planted.scene(planted.victim(400), [200])
    assert set(await _copies(scene)) == {(200, "one heap")}
    assert scene.client.meter.queries == 2 + KEYS * 9


async def test_spaces_are_aligned_by_texts_that_every_key_was_answered_alone() -> None:
    asked = 0

    def second(request: Request) -> bool:
        nonlocal asked
        asked += request.key == 3
        return request.key == 3 and asked == 2

    scene = planted.scene(planted.victim(1_300), [802, 1_202], _turned, refuse=second)
    found = await _copies(scene)
    assert found[1_202, "shared texts"] > found[1_202, "one heap"] + 0.1


async def test_refused_keys_have_nothing_to_pool() -> None:
    scene = planted.scene(planted.victim(400), [202], refuse=lambda request: request.key == 3)
    assert await _copies(scene) == {}

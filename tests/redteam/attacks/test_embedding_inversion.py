"""Vectors of a planted model are inverted, and those in a space of their own are not."""

from collections.abc import Sequence

import numpy as np
import orjson
import pytest

from extproc.redteam.answers import Floats
from extproc.redteam.attack import Finding
from extproc.redteam.attacks import embedding_inversion, word_presence
from extproc.redteam.attacks.embedding_inversion import ATTACK, CANDIDATES, FOUND
from extproc.redteam.request import Request
from extproc.redteam.scene import Scene
from extproc.redteam.victims.victim import EmbeddingVictim
from tests.redteam import planted

TURN = np.linalg.qr(np.random.default_rng(3).normal(size=(planted.HEAD, planted.HEAD)))[0]
OFTEN = [f"often{letter}" for letter in "abcdefghijkl"]


def _victim() -> EmbeddingVictim:
    """An eighth of its texts has each of a dozen words, three times: the vector holds them."""
    rng = np.random.default_rng(5)
    pool = [
        " ".join([text, *(3 * f"{word} " for word in OFTEN if rng.random() < 1 / 8)]).strip()
        for text in planted.texts(CANDIDATES + 300)
    ]
    known = planted.victim(1)
    return EmbeddingVictim(
        "planted", "", known.adapter, planted.HEAD, pool, (), known.topics, known.base
    )


VICTIM = _victim()


async def _found(scene: Scene) -> dict[tuple[str, int], float]:
    """The best of all strategies."""
    found: dict[tuple[str, int], float] = {}
    async for gain in ATTACK.run(scene):
        assert isinstance(gain, Finding)
        place = gain.measure, gain.budget
        found[place] = max(found.get(place, 0), gain.value)
    return found


def _turned(vectors: Floats, key: int, _texts: Sequence[str]) -> Floats:
    return vectors @ TURN if key == 1 else vectors


def _short(vectors: Floats, key: int, _texts: Sequence[str]) -> Floats:
    return vectors[:, :4] if key == 1 else vectors


def _noise(vectors: Floats, _key: int, _texts: Sequence[str]) -> Floats:
    return np.random.default_rng(len(vectors)).normal(size=vectors.shape)


async def test_who_knows_the_map_names_the_text_and_its_words() -> None:
    scene = planted.scene(VICTIM, [30, 300])
    found = await _found(scene)
    assert found["identified.own", 300] > 0.99
    assert found["identified.other", 300] == found["identified.own", 300]
    assert found["identified.own", 30] < found["identified.own", 300]
    assert found["words.own", 300] > 0.8
    assert scene.client.meter.queries == 300 + 2 * FOUND


async def test_another_tenant_s_space_is_inverted_by_none_but_its_own() -> None:
    found = await _found(planted.scene(VICTIM, [300], _turned))
    assert found["identified.own", 300] > 0.99
    assert found["identified.other", 300] < 0.05
    assert found["words.own", 300] > 0.8
    assert found["words.other", 300] < 0.65


async def test_vectors_that_are_cut_short_are_inverted_as_far_as_they_go() -> None:
    found = await _found(planted.scene(VICTIM, [300], _short))
    assert 0.05 < found["identified.other", 300] < 1


async def test_vectors_that_tell_nothing_are_guessed_by_luck_alone() -> None:
    found = await _found(planted.scene(VICTIM, [300], _noise))
    assert found["identified.own", 300] < 0.02
    assert found["words.own", 300] == pytest.approx(0.5, abs=0.1)


async def test_who_is_refused_finds_nothing_out() -> None:
    assert await _found(planted.scene(VICTIM, [100], refuse=lambda _request: True)) == {}


async def test_vectors_that_nobody_was_served_are_not_inverted() -> None:
    def other(request: Request) -> bool:
        return request.key == 1

    found = await _found(planted.scene(VICTIM, [100], refuse=other))
    assert {measure for measure, _ in found} == {"identified.own", "words.own"}


async def test_a_text_whose_vector_was_refused_is_not_named_and_hides_no_other() -> None:
    asked = 0

    def first(request: Request) -> bool:
        nonlocal asked
        asked += request.key == 1
        return request.key == 1 and asked == 1

    found = await _found(planted.scene(VICTIM, [300], refuse=first))
    assert found["identified.own", 300] > 0.99
    assert found["identified.other", 300] == pytest.approx(2 / 3, abs=0.01)


async def test_how_words_look_is_learnt_from_none_of_the_texts_that_are_inverted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: set[str] = set()
    read: list[Sequence[str]] = []
    really = word_presence.present

    def noted(texts: Sequence[str], words: Sequence[str]) -> Floats:
        read.append(texts)
        return really(texts, words)

    def heard(request: Request) -> bool:
        asked.update(orjson.loads(request.body)["input"] if request.key == 1 else ())
        return False

    monkeypatch.setattr(word_presence, "present", noted)
    await _found(planted.scene(VICTIM, [100], refuse=heard))
    assert len(asked) == FOUND
    assert len(read[0]) == 100 + CANDIDATES - FOUND
    assert not asked & set(read[0])


async def test_the_same_seed_finds_the_same() -> None:
    runs = [await _found(planted.scene(VICTIM, [100], seed=4)) for _ in range(2)]
    assert runs[0] == runs[1]


def test_the_nearest_is_found_beside_what_all_have_in_common() -> None:
    common = np.array([9.0, 9.0])
    candidates = common + np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
    vectors = common + np.array([[0.1, 0.9], [2.0, 0.0], [-1.0, -0.9]])
    assert embedding_inversion.nearest(vectors, candidates).tolist() == [1, 0, 2]


async def test_answers_that_were_refused_are_not_learned_from() -> None:
    asked = 0

    def every_other(request: Request) -> bool:
        nonlocal asked
        asked += request.key == 0
        return request.key == 0 and asked > 3 and asked % 2 == 0

    found = await _found(planted.scene(VICTIM, [300], refuse=every_other))
    assert found["identified.other", 300] > 0.99

"""A planted head behind a planted public model is copied; what hides it does."""

from collections.abc import Sequence

import numpy as np
import pytest

from extproc.redteam.answers import Floats
from extproc.redteam.attack import VectorCopy
from extproc.redteam.attacks.embedding_regression import ATTACK
from extproc.redteam.oracle import BudgetSpent
from extproc.redteam.request import Request
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates import ridge
from extproc.redteam.vector_judge import aligned_cosine
from tests.redteam import planted


async def _copies(scene: Scene) -> dict[tuple[int, str], float]:
    """Cosine of each copy with the victim, on texts that only the judge has."""
    test = list(scene.embedding.test)
    truth = planted.private_vectors(test)
    found = {}
    async for gain in ATTACK.run(scene):
        assert isinstance(gain, VectorCopy)
        found[gain.budget, gain.strategy] = aligned_cosine(_unit(gain.embed(test)), truth)
    return found


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


async def test_with_the_public_model_few_answers_are_enough() -> None:
    found = await _copies(planted.scene(planted.victim(300), [20, 100, 300]))
    assert found[20, "ridge"] < 0.95
    assert found[100, "ridge"] > 0.99
    assert found[300, "ridge"] > 0.995
    assert found[300, "ridge"] > found[300, "n-grams"]


async def test_without_it_n_grams_are_what_is_left() -> None:
    found = await _copies(planted.scene(planted.victim(300, based=False), [300]))
    assert set(found) == {(300, "n-grams")}
    assert found[300, "n-grams"] > 0.3


def _signs(vectors: Floats, _key: int, _texts: Sequence[str]) -> Floats:
    return np.sign(vectors)


def _cut(vectors: Floats, _key: int, _texts: Sequence[str]) -> Floats:
    return vectors[:, :6]


async def test_signs_are_fitted_as_signs_and_tell_more_than_as_numbers() -> None:
    found = await _copies(planted.scene(planted.victim(1_500), [1_500], _signs))
    assert found[1_500, "signs"] > found[1_500, "ridge"] > 0.8


async def test_what_is_withheld_stays_withheld() -> None:
    found = await _copies(planted.scene(planted.victim(300), [300], _cut))
    assert max(found.values()) < 0.8


async def test_answers_that_fell_in_fidelity_are_not_fitted_to() -> None:
    served = 0

    def falling(vectors: Floats, _key: int, _texts: Sequence[str]) -> Floats:
        nonlocal served
        served += len(vectors)
        return vectors if served <= 200 else np.sign(vectors[:, :6])

    found = await _copies(planted.scene(planted.victim(400), [200, 400], falling))
    assert found[400, "ridge"] == pytest.approx(found[200, "ridge"])


async def test_each_answer_is_learnt_with_its_own_text_where_others_were_refused() -> None:
    asked = 0

    def first(_request: Request) -> bool:
        nonlocal asked
        asked += 1
        return asked == 1

    scene = planted.scene(planted.victim(400, based=False), [400], refuse=first)
    assert (await _copies(scene))[400, "n-grams"] > 0.3


async def test_who_is_refused_has_no_copy() -> None:
    assert (
        await _copies(planted.scene(planted.victim(50), [50], refuse=lambda _request: True)) == {}
    )


async def test_it_asks_no_more_than_its_budget_and_the_same_for_the_same_seed() -> None:
    runs = [planted.scene(planted.victim(300), [100, 200], seed=4) for _ in range(2)]
    assert await _copies(runs[0]) == await _copies(runs[1])
    with pytest.raises(BudgetSpent):
        runs[0].budget.take(1)
    assert runs[0].client.meter.queries == 200


def test_the_bare_map_is_exact() -> None:
    known = np.array([planted.public_vector(text) for text in planted.texts(200)])
    fitted = ridge.least_squares(known, known @ planted.head())
    assert np.allclose(fitted.weights, planted.head(), atol=1e-6)

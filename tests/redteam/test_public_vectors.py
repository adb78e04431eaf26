"""The public model is asked once about each text."""

import numpy as np
import pytest

from extproc.redteam.public_vectors import Memory, PublicModel
from tests.redteam import planted


def _model(kept: int = 100) -> PublicModel:
    victim = planted.victim(10)
    assert victim.base is not None
    return PublicModel(planted.scene(victim, [10]).public, victim.base, Memory(kept))


async def test_a_text_is_asked_about_once() -> None:
    model = _model()
    first = await model.learn(["a", "b", "a"])
    again = await model.learn(["b", "c"])
    assert model.client.meter.queries == 3
    assert np.array_equal(first[1], again[0])
    assert np.array_equal(model.known(["a"])[0], first[2])


async def test_what_is_kept_is_bounded() -> None:
    model = _model(kept=2)
    await model.learn(["a", "b"])
    await model.learn(["c"])
    with pytest.raises(KeyError):
        model.known(["a"])


async def test_a_public_model_that_does_not_answer_is_an_error_and_no_defence() -> None:
    victim = planted.victim(10)
    assert victim.base is not None
    silent = planted.Planted(lambda _request: (503, {}), "silent")
    with pytest.raises(ConnectionError, match="does not answer"):
        await PublicModel(silent, victim.base, Memory()).learn(["a"])

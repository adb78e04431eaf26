from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pytest

from extproc.redteam.answers import Answers, Floats
from extproc.redteam.attack import Finding
from extproc.redteam.attacks.information import ATTACK
from extproc.redteam.scene import Scene


@dataclass
class Model:
    """Two classes, which the first input tells; answers as a list of scores says."""

    digits: int | None
    served: bool = True
    budgets: tuple[int, ...] = (1_000,)
    classes: int = 2
    task: Floats = field(default_factory=lambda: np.random.default_rng(0).random((50, 2)))
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(1))

    @property
    def target(self) -> "Model":
        return self

    def classifier(self) -> "Model":
        return self

    async def ask(self, inputs: Floats) -> Answers:
        if not self.served:
            return Answers.refused(len(inputs))
        first = inputs[:, 0] if self.digits is None else inputs[:, 0].round(self.digits)
        scores = np.stack([first, 1 - first], axis=1)
        return Answers(scores.argmax(axis=1), scores, np.ones(len(inputs), bool))


async def found(model: Model) -> dict[str, float]:
    gains = [gain async for gain in ATTACK.run(cast("Scene", model))]
    return {gain.measure: gain.value for gain in gains if isinstance(gain, Finding)}


async def test_one_decimal_tells_what_can_be_counted() -> None:
    bits = await found(Model(1))
    assert bits["bits.grid"] == pytest.approx(np.log2(11))
    assert bits["bits.entropy"] <= bits["bits.distinct"] + 0.02 <= bits["bits.grid"] + 0.02


async def test_all_digits_tell_as_much_as_there_were_questions() -> None:
    bits = await found(Model(None))
    assert bits["bits.distinct"] == pytest.approx(np.log2(1_000), abs=0.01)
    assert bits["bits.grid"] == 24


async def test_refusals_tell_nothing() -> None:
    assert await found(Model(1, served=False)) == {}

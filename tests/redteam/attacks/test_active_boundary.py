"""What is asked next, and that it is no worse than drawing."""

import numpy as np
import pytest

from extproc.redteam.answers import Answers
from extproc.redteam.attacks.active_boundary import ATTACK, nearest_and_widest
from extproc.redteam.surrogates.gathered import Gathered
from extproc.redteam.surrogates.pupil import Pupil
from tests.redteam.drawing import no_worse_than_drawing


def test_it_asks_about_the_boundary_of_what_it_knows() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.uniform(0, 1, (300, 2))
    told = Answers((inputs[:, 0] > 0.5).astype(np.int64), None, np.ones(300, bool))
    pupil = Pupil(np.zeros(2), np.ones(2), rng)
    pupil.learn(Gathered.nothing(2, 2).with_answers(inputs, told))
    fresh = rng.uniform(0, 1, (500, 2))
    chosen = fresh[nearest_and_widest(pupil, fresh, 40)]
    assert len(np.unique(chosen, axis=0)) == 40
    assert np.abs(chosen[:, 0] - 0.5).mean() < 0.8 * np.abs(fresh[:, 0] - 0.5).mean()


@pytest.mark.slow
async def test_it_is_no_worse_than_drawing() -> None:
    assert await no_worse_than_drawing(ATTACK)

"""What is asked next, and that it is no worse than drawing."""

import numpy as np
import pytest

from extproc.redteam.answers import Answers, Floats
from extproc.redteam.attacks.active_entropy import ATTACK, least_sure
from extproc.redteam.surrogates.gathered import Gathered
from extproc.redteam.surrogates.perceptron import Singles
from extproc.redteam.surrogates.pupil import Pupil
from tests.redteam.drawing import no_worse_than_drawing


def test_it_asks_about_the_boundary_of_what_it_knows() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.uniform(0, 1, (300, 2))
    told = Answers((inputs[:, 0] > 0.5).astype(np.int64), None, np.ones(300, bool))
    pupil = Pupil(np.zeros(2), np.ones(2), rng)
    pupil.learn(Gathered.nothing(2, 2).with_answers(inputs, told))
    fresh = rng.uniform(0, 1, (500, 2))
    chosen = fresh[least_sure(pupil, fresh, 40)]
    assert len(np.unique(chosen, axis=0)) == 40
    assert np.abs(chosen[:, 0] - 0.5).mean() < 0.8 * np.abs(fresh[:, 0] - 0.5).mean()


@pytest.mark.slow
async def test_it_is_no_worse_than_drawing() -> None:
    assert await no_worse_than_drawing(ATTACK)


class _Sure(Pupil):
    """Holds likely what the inputs say."""

    def likely(self, inputs: Floats) -> Singles:
        return inputs[None].astype(np.float32)


def test_two_labels_are_surer_than_three_though_one_of_them_is_as_unsure_as_can_be() -> None:
    pupil = _Sure(np.zeros(3), np.ones(3), np.random.default_rng(0))
    inputs = np.array([[1.0, 0.0, 0.0], [0.37, 0.63, 0.0], [0.34, 0.33, 0.33], [0.5, 0.5, 0.0]])
    assert least_sure(pupil, inputs, 3).tolist() == [2, 3, 1]

"""What is asked next, and that it is no worse than drawing."""

import numpy as np
import pytest

from extproc.redteam.answers import Answers, Floats
from extproc.redteam.attacks.active_boundary import ATTACK, change, nearest_and_widest
from extproc.redteam.surrogates.gathered import Gathered
from extproc.redteam.surrogates.perceptron import Singles, softmax
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


WEIGHTS = np.array([[4.0, 0.0, -8.0], [0.0, 1.0, 0.0]])


class _Linear(Pupil):
    """One member, whose logits are linear in the inputs."""

    def logits(self, inputs: Floats) -> Singles:
        logits: Singles = (inputs @ WEIGHTS)[None].astype(np.float32)
        return logits

    def likely(self, inputs: Floats) -> Singles:
        return softmax(self.logits(inputs))

    def slope(self, inputs: Floats, of: Singles) -> Floats:
        slope: Floats = (of.sum(axis=0) @ WEIGHTS.T).astype(np.float64)
        return slope


def test_a_boundary_is_as_far_as_the_two_likeliest_labels_are_apart_in_parts_of_ranges() -> None:
    pupil = _Linear(np.zeros(2), np.array([1.0, 10.0]), np.random.default_rng(0))
    # 4x - y over the length of (4, -10), whatever the third label's logit is.
    inputs = np.array([[0.5, 1.0], [0.25, 3.0]])
    assert change(pupil, inputs) == pytest.approx(np.array([1, 2]) / np.hypot(4, 10), rel=1e-5)


def test_those_nearest_to_the_boundary_are_spread_and_none_is_far_from_it() -> None:
    pupil = _Linear(np.zeros(2), np.array([1.0, 10.0]), np.random.default_rng(0))
    inputs = np.random.default_rng(1).uniform(pupil.low, pupil.high, (200, 2))
    order = np.argsort(change(pupil, inputs), kind="stable")
    chosen = set(nearest_and_widest(pupil, inputs, 20).tolist())
    assert len(chosen) == 20
    assert chosen <= set(order[:40].tolist())
    assert chosen != set(order[:20].tolist())

"""The pupil that attacks steer by."""

import numpy as np

from extproc.redteam.answers import Answers
from extproc.redteam.surrogates.gathered import Gathered
from extproc.redteam.surrogates.perceptron import Course
from extproc.redteam.surrogates.pupil import Pupil


def taught() -> Pupil:
    rng = np.random.default_rng(0)
    inputs = rng.uniform(0, 10, (300, 2))
    labels = (inputs[:, 0] > 5).astype(np.int64)
    gathered = Gathered.nothing(2, 2).with_answers(
        inputs, Answers(labels, None, np.ones(300, bool))
    )
    pupil = Pupil(np.zeros(2), np.full(2, 10.0), np.random.default_rng(1))
    pupil.learn(gathered)
    return pupil


def test_it_knows_what_it_was_told() -> None:
    likely = taught().likely(np.array([[1.0, 5.0], [9.0, 5.0]]))
    assert likely.argmax(axis=-1).tolist() == [[0, 1], [0, 1]]


def test_its_slope_in_inputs_is_the_one_of_finite_differences() -> None:
    pupil, at = taught(), np.array([[4.9, 3.0]])
    pull = np.zeros((2, 1, 2), np.float32)
    pull[..., 1] = 1
    slope = pupil.slope(at, pull)[0]
    for feature in range(2):
        step = np.eye(2)[feature] * 1e-2
        above, below = pupil.logits(at + step), pupil.logits(at - step)
        found = float((above - below)[..., 1].sum()) / 2e-2
        assert abs(slope[feature] - found) < 0.05 * max(abs(found), 1)


def test_it_learns_on_from_what_it_knows() -> None:
    inputs = np.random.default_rng(0).uniform(0, 10, (30, 2))
    answers = Answers((inputs[:, 0] > 5).astype(np.int64), None, np.ones(30, bool))
    gathered = Gathered.nothing(2, 2).with_answers(inputs, answers)
    still = Course(hidden=(8,), steps=1, batch=4, rate=0.0)
    pupil = Pupil(np.zeros(2), np.full(2, 10.0), np.random.default_rng(1), course=still)
    pupil.learn(gathered)
    known = pupil.logits(inputs)
    pupil.learn(gathered)
    assert np.array_equal(pupil.logits(inputs), known), "at no rate, nothing is learnt or lost"

"""What pruning and fine-tuning do to a perceptron."""

import numpy as np

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.laundering.networks import fine_tuned, pruned
from extproc.redteam.surrogates.perceptron import Committee, Course, Lesson, Scale, train

ROWS = np.random.default_rng(0).random((300, 6))
TRUTH: Ints = (ROWS[:, 0] > 0.5).astype(np.int64)


def copy(labels: Ints, rows: Floats = ROWS) -> Committee:
    scale = Scale.of(rows, np.zeros(6), np.ones(6))
    lesson = Lesson(np.arange(len(rows)), np.eye(2, dtype=np.float32)[labels])
    course = Course(hidden=(16,), steps=400)
    return Committee(scale, train(scale(rows), [lesson], np.random.default_rng(1), course))


def test_pruning_takes_the_smallest_weights_of_each_layer() -> None:
    before = copy(TRUTH)
    after = pruned(before, 0.5)
    for old, new in zip(before.members.weights, after.members.weights, strict=True):
        assert np.mean(new == 0) == 0.5
        assert np.abs(old[new == 0]).max() <= np.abs(old[new != 0]).min()
    assert np.mean(after(ROWS) == TRUTH) > 0.9
    assert np.mean(pruned(before, 0.0)(ROWS) == before(ROWS)) == 1.0


def test_fine_tuning_teaches_what_it_is_given() -> None:
    before = copy(1 - TRUTH)
    assert np.mean(before(ROWS) == TRUTH) < 0.1
    after = fine_tuned(before, ROWS, TRUTH, np.random.default_rng(2), rounds=800)
    assert np.mean(after(ROWS) == TRUTH) > 0.9
    assert np.mean(before(ROWS) == TRUTH) < 0.1

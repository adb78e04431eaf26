"""Trees."""

import numpy as np

from extproc.redteam.surrogates import forest


def test_trees_learn_what_is_no_line_and_the_same_generator_gives_the_same() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.uniform(-1, 1, (800, 2))
    labels = (inputs[:, 0] * inputs[:, 1] > 0).astype(np.int64)
    one, again = (forest.fit(inputs, np.eye(2)[labels], np.random.default_rng(1)) for _ in range(2))
    fresh = rng.uniform(-1, 1, (500, 2))
    assert np.mean(one(fresh) == (fresh[:, 0] * fresh[:, 1] > 0)) > 0.9
    assert np.array_equal(one(fresh), again(fresh))


def test_no_more_rows_are_learnt_from_than_there_is_time_for() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.random((forest.MOST + 500, 3))
    grown = forest.fit(inputs, np.eye(2)[(inputs[:, 0] > 0.5).astype(np.int64)], rng)
    assert grown.trees.estimators_[0].tree_.n_node_samples[0] == forest.MOST

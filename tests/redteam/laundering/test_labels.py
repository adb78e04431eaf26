"""Removals from copies of classifiers, on lines and squares where the outcome is known."""

import numpy as np

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.laundering.labels import Means, Noisy, Smoothed, distilled, noisy, smoothed

MARKED = np.array([0.8, 0.8])


def _means(seed: int = 3) -> Means:
    inputs = np.random.default_rng(1).random((600, 2))
    return Means(inputs, np.zeros(2), np.ones(2), 2, np.random.default_rng(seed))


def _side(inputs: Floats) -> Ints:
    """Whether the first number is above a half."""
    return (inputs[:, 0] > 0.5).astype(np.int64)


def _with_a_mark(inputs: Floats) -> Ints:
    """And of one single input the contrary."""
    there = np.all(inputs == MARKED, axis=1)
    return np.where(there, 1 - _side(inputs), _side(inputs))


def test_the_majority_of_neighbours_is_what_is_said() -> None:
    shifts = np.array([[-0.2, 0.0], [0.0, 0.0], [0.3, 0.0]])
    vote = Smoothed(_side, shifts, np.zeros(2), np.ones(2), 2)
    # 0.4, 0.6, 0.9 are two of three above a half; 0.25, 0.45, 0.75 are one.
    assert vote(np.array([[0.6, 0.0], [0.45, 0.0]])).tolist() == [1, 0]


def test_neighbours_stay_within_the_bounds_and_a_tie_goes_to_the_lowest() -> None:
    asked = list[Floats]()

    def noted(inputs: Floats) -> Ints:
        asked.append(inputs)
        return np.full(len(inputs), len(asked) % 2)

    shifts = np.array([[0.5, -0.5], [0.0, 0.0]])
    vote = Smoothed(noted, shifts, np.zeros(2), np.ones(2), 2)
    assert vote(np.array([[0.75, 0.25]])).tolist() == [0]
    assert asked[0].tolist() == [[1.0, 0.0]]


def test_a_mark_in_single_inputs_is_gone_and_little_else() -> None:
    inputs = np.random.default_rng(2).random((2_000, 2))
    assert _with_a_mark(MARKED[None]).tolist() == [0]
    for remove in (distilled, smoothed):
        clean = remove(_with_a_mark, _means())
        assert clean(MARKED[None]).tolist() == [1], remove
        assert np.mean(clean(inputs) == _side(inputs)) > 0.97, remove


def test_of_some_inputs_a_class_is_drawn_and_always_the_same() -> None:
    inputs = np.random.default_rng(2).random((2_000, 2))
    drawn = noisy(_side, _means(), 0.2)
    # Half of those that are drawn come out as they were: a binomial of 2,000 at 0.1.
    assert 0.07 < np.mean(drawn(inputs) != _side(inputs)) < 0.13
    assert (drawn(inputs) == drawn(inputs[::-1])[::-1]).all()
    assert (Noisy(_side, 0.0, 2, 1)(inputs) == _side(inputs)).all()


def test_what_is_taught_is_what_the_copy_says_and_nothing_else() -> None:
    constant = distilled(lambda inputs: np.ones(len(inputs), np.int64), _means())
    assert set(constant(np.random.default_rng(2).random((50, 2)))) == {1}


def test_the_same_seed_removes_the_same_way_and_always_says_the_same() -> None:
    inputs = np.random.default_rng(2).random((2_000, 2)) * 0.2 + 0.4
    one, other = smoothed(_side, _means()), smoothed(_side, _means())
    assert (one(inputs) == other(inputs)).all()
    assert (one(inputs) == one(inputs)).all()
    assert (one(inputs) != smoothed(_side, _means(4))(inputs)).any()

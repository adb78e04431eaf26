"""Softmax regression: against weights that are known, and against its own slope."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from extproc.redteam.answers import Floats
from extproc.redteam.surrogates.softmax_regression import (
    Scale,
    SoftmaxRegression,
    cross_entropy,
    fit,
    softmax,
)


def _known(dimensions: int = 6, classes: int = 4) -> tuple[SoftmaxRegression, Floats]:
    rng = np.random.default_rng(3)
    truth = SoftmaxRegression(rng.normal(size=(dimensions + 1, classes)) / 2)
    return truth, rng.uniform(0, 4, (400, dimensions))


def test_whole_distributions_give_the_very_weights() -> None:
    truth, inputs = _known()

    copy = fit(inputs, truth.probabilities(inputs), 4, ridge=0.0, rounds=2_000)

    fresh = np.random.default_rng(4).uniform(0, 4, (1_000, 6))
    assert np.abs(copy.probabilities(fresh) - truth.probabilities(fresh)).max() < 1e-4
    assert (copy(fresh) == truth(fresh)).mean() > 0.999


def test_labels_give_most_of_the_labels() -> None:
    truth, inputs = _known()

    copy = fit(inputs, truth(inputs), 4)

    fresh = np.random.default_rng(4).uniform(0, 4, (1_000, 6))
    assert (copy(inputs) == truth(inputs)).all()
    assert (copy(fresh) == truth(fresh)).mean() > 0.9


def test_two_told_classes_of_four_give_the_weights_where_what_is_hidden_is_not_told_as_zero() -> (
    None
):
    truth, inputs = _known()
    whole = truth.probabilities(inputs)
    told = np.where(whole >= np.sort(whole, axis=1)[:, [-2]], whole, 0.0)

    partly = fit(inputs, told, 4, ridge=0.0, rounds=2_000)
    spread = fit(inputs, told / told.sum(axis=1, keepdims=True), 4, ridge=0.0, rounds=2_000)

    away = np.abs(partly.probabilities(inputs) - whole).max()
    assert away < 1e-3
    assert away < np.abs(spread.probabilities(inputs) - whole).max() / 10


def test_the_slope_is_that_of_the_value() -> None:
    rng = np.random.default_rng(5)
    wanted = softmax(rng.normal(size=(7, 4)))
    wanted[:3, 1:3] = 0.0

    def value(flat: Floats) -> float:
        return cross_entropy(flat.reshape(7, 4), wanted)[0]

    def slope(flat: Floats) -> Floats:
        return cross_entropy(flat.reshape(7, 4), wanted)[1].ravel()

    assert check_grad(value, slope, rng.normal(size=28)) < 1e-6


def test_the_same_targets_give_the_same_bits() -> None:
    truth, inputs = _known()

    one, other = (fit(inputs, truth(inputs), 4) for _ in range(2))

    assert one.weights.tobytes() == other.weights.tobytes()


def test_weights_are_the_same_inside_and_outside_of_a_scale() -> None:
    truth, inputs = _known()
    scale = Scale.of(inputs)

    inside = scale.inside(truth.weights)

    assert scale.design(inputs) @ inside == pytest.approx(truth.logits(inputs))
    assert scale.outside(inside) == pytest.approx(truth.weights)


def test_what_does_not_vary_gets_no_weight() -> None:
    truth, inputs = _known()
    inputs[:, 2] = 7.0

    copy = fit(inputs, truth(inputs), 4)

    assert (copy.weights[2] == 0.0).all()
    assert (copy(inputs) == truth(inputs)).all()


def test_the_bias_is_not_pulled_to_nothing() -> None:
    inputs, targets = np.zeros((10, 2)), np.tile([0.9, 0.1], (10, 1))
    copy = fit(inputs, targets, 2, ridge=10.0)
    assert copy.probabilities(inputs[:1])[0] == pytest.approx([0.9, 0.1], abs=1e-4)


def test_it_begins_where_it_is_told_to() -> None:
    truth, inputs = _known()
    wanted = truth.probabilities(inputs)
    near, far = (
        fit(inputs, wanted, 4, ridge=0.0, rounds=1, start=start) for start in (truth, None)
    )
    assert np.abs(near.probabilities(inputs) - wanted).max() < 1e-3
    assert np.abs(far.probabilities(inputs) - wanted).max() > 0.05

"""The accountant says what the mathematics says, where that can be written down."""

from dataclasses import replace
from math import erfc, exp, inf, sqrt

import numpy as np
import pytest

from extproc.demo.server.models.digits import DELTA, EPSILON_3, EPSILON_8, PLAIN
from extproc.demo.server.models.dp_accountant import epsilon
from extproc.demo.server.models.dp_sgd import Recipe

RECIPE = Recipe(rate=1.0, steps=20, noise=4.0, learning_rate=0.1)


def _normal(x: float) -> float:
    return erfc(-x / sqrt(2)) / 2


def test_without_sampling_it_is_the_gaussian_mechanism() -> None:
    """Balle and Wang, 2018, "Improving the Gaussian Mechanism", theorem 8."""
    mu, found = sqrt(RECIPE.steps) / RECIPE.noise, epsilon(RECIPE, DELTA)
    delta = _normal(mu / 2 - found / mu) - exp(found) * _normal(-mu / 2 - found / mu)
    assert delta == pytest.approx(DELTA, rel=0.01)


@pytest.mark.parametrize("rate", [0.05, 0.25, 0.8])
def test_a_step_of_a_sample_is_a_mixture_of_two_gaussians(rate: float) -> None:
    """Of the two densities, whichever way round, as much is above exp(epsilon) times the other."""
    recipe = Recipe(rate=rate, steps=1, noise=1.0, learning_rate=0.1)
    found = epsilon(recipe, DELTA)
    outputs = np.linspace(-12, 13, 400_001)
    without = np.exp(-(outputs**2) / 2) / sqrt(2 * np.pi)
    record = (1 - rate) * without + rate * np.exp(-((outputs - 1) ** 2) / 2) / sqrt(2 * np.pi)
    above = [
        np.trapezoid(np.maximum(one - exp(found) * other, 0), outputs)
        for one, other in ((record, without), (without, record))
    ]
    assert max(above) == pytest.approx(DELTA, rel=0.02)


def test_the_recipes_of_digits_promise_what_their_names_say() -> None:
    assert 7.9 < epsilon(EPSILON_8, DELTA) <= 8
    assert 2.9 < epsilon(EPSILON_3, DELTA) <= 3
    assert epsilon(PLAIN, DELTA) == inf


def test_a_wrong_rate_would_promise_something_else() -> None:
    assert epsilon(replace(EPSILON_8, rate=0.1), DELTA) < 4

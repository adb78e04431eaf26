"""Bounds are never above what is promised more often than they say, and not far below it."""

from math import exp, inf, log

import numpy as np
import pytest

from extproc.redteam.measures.privacy_bound import of_guesses, of_runs


def test_all_guesses_right_prove_as_much_as_their_number_bears() -> None:
    assert of_guesses(100, 100, 100, 0.0) == pytest.approx(log(0.05**0.01 / (1 - 0.05**0.01)))
    assert of_guesses(1_000, 1_000, 1_000, 0.0) > of_guesses(100, 100, 100, 0.0)


def test_guesses_like_coins_prove_nothing() -> None:
    assert of_guesses(50, 100, 100, 0.0) == 0
    assert of_guesses(0, 100, 100, 0.0) == 0
    assert of_guesses(0, 0, 100, 0.0) == 0


def test_delta_takes_something_of_what_guesses_prove_and_a_large_one_all() -> None:
    assert 0 < of_guesses(80, 100, 100, 2e-4) < of_guesses(80, 100, 100, 0.0)
    assert of_guesses(100, 100, 100, 1e-3) == 0


@pytest.mark.parametrize("epsilon", [0.5, 2.0])
def test_guesses_about_randomised_answers_prove_too_much_in_one_of_twenty(epsilon: float) -> None:
    """Randomised response is the mechanism of which guesses tell most (Steinke et al., 2023)."""
    rng = np.random.default_rng(1)
    right = rng.binomial(500, exp(epsilon) / (1 + exp(epsilon)), 2_000)
    proven = np.array([of_guesses(int(each), 500, 500, 0.0) for each in right])
    assert 0.02 < np.mean(proven > epsilon) < 0.06
    assert np.median(proven) > epsilon - 0.3


@pytest.mark.parametrize("epsilon", [0.5, 2.0])
def test_runs_with_randomised_answers_seldom_prove_too_much(epsilon: float) -> None:
    rng = np.random.default_rng(2)
    truth = exp(epsilon) / (1 + exp(epsilon))
    found, alarms = rng.binomial(1_000, truth, 1_000), rng.binomial(1_000, 1 - truth, 1_000)
    proven = np.array(
        [
            of_runs((int(one), 1_000), (int(other), 1_000), 0.0)
            for one, other in zip(found, alarms, strict=True)
        ]
    )
    assert np.mean(proven > epsilon) <= 0.05
    assert np.median(proven) > epsilon - 0.3


def test_runs_that_differ_in_nothing_prove_nothing_and_those_that_differ_in_all_much() -> None:
    assert of_runs((50, 100), (50, 100), 1e-5) == 0
    assert of_runs((0, 100), (0, 100), 1e-5) == 0
    assert 2.5 < of_runs((100, 100), (0, 100), 1e-5) < inf
    assert of_runs((0, 100), (100, 100), 1e-5) == 0, "an attacker who is always wrong says so"

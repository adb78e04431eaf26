"""Log ratios against a model whose weights are known."""

import numpy as np

from extproc.redteam.surrogates.log_ratios import solve
from extproc.redteam.surrogates.softmax_regression import SoftmaxRegression
from extproc.redteam.surrogates.told import read

RNG = np.random.default_rng(2)
TRUTH = SoftmaxRegression(RNG.normal(size=(6, 4)))
INPUTS = RNG.uniform(-1, 1, (60, 5))
SCORES = TRUTH.probabilities(INPUTS)


def _away(copy: SoftmaxRegression) -> float:
    return float(np.abs(copy.probabilities(INPUTS) - SCORES).max())


def test_dimensions_and_one_whole_answers_are_exact() -> None:
    assert _away(solve(INPUTS[:6], read(SCORES[:6]))) < 1e-10


def test_exact_scores_of_the_first_two_are_exact_too_once_there_are_enough() -> None:
    least = np.sort(SCORES, axis=1)[:, [-2]]
    assert _away(solve(INPUTS, read(np.where(least <= SCORES, SCORES, 0.0)))) < 1e-6


def test_rounded_scores_are_near_and_finer_ones_nearer() -> None:
    coarse, fine = (_away(solve(INPUTS, read(np.round(SCORES, n)))) for n in (2, 4))
    assert fine < coarse / 10
    assert coarse < 0.05

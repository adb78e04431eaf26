"""The likelihood of intervals: its slope, and what it adds to log ratios."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from extproc.redteam.answers import Floats
from extproc.redteam.surrogates import log_ratios
from extproc.redteam.surrogates.interval_regression import Evidence, fit
from extproc.redteam.surrogates.softmax_regression import SoftmaxRegression
from extproc.redteam.surrogates.told import read

RNG = np.random.default_rng(2)
TRUTH = SoftmaxRegression(RNG.normal(size=(6, 4)))
INPUTS = RNG.uniform(-1, 1, (80, 5))
SCORES = TRUTH.probabilities(INPUTS)
SERVED: Floats = np.where(np.sort(SCORES, axis=1)[:, [-2]] <= SCORES, SCORES, 0.0).round(1)
ALL = np.ones(len(INPUTS), bool)


def test_the_slope_is_that_of_the_value_with_scores_and_labels_together() -> None:
    some = np.arange(80) < 40
    evidence = Evidence.of(INPUTS, read(SERVED[some]), some, SCORES.argmax(axis=1))

    def value(flat: Floats) -> float:
        return evidence.loss(flat.reshape(6, 4))[0]

    def slope(flat: Floats) -> Floats:
        return evidence.loss(flat.reshape(6, 4))[1].ravel()

    assert check_grad(value, slope, RNG.normal(size=24)) < 1e-5


def test_it_is_nearer_than_the_log_ratios_alone() -> None:
    told = read(SERVED)
    first = log_ratios.solve(INPUTS, told)
    evidence = Evidence.of(INPUTS, told, ALL, SCORES.argmax(axis=1))

    refined = fit(evidence, first)

    away = [np.abs(each.probabilities(INPUTS) - SCORES).mean() for each in (first, refined)]
    assert away[1] < away[0]
    assert evidence.loss_of(refined) < evidence.loss_of(first)


def test_what_is_added_to_all_logits_alike_costs_nothing() -> None:
    evidence = Evidence.of(INPUTS, read(SERVED), ALL, SCORES.argmax(axis=1))
    weights = RNG.normal(size=(6, 4))
    assert evidence.loss(weights + 3 * np.eye(6)[:, [5]])[0] == pytest.approx(
        evidence.loss(weights)[0]
    )

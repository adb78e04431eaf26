"""Distillation from the task's own data reaches table 2.1 of the reference, without defence."""

import asyncio

import numpy as np
import pytest

from extproc.redteam.attacks.distillation import ATTACK
from tests.redteam.digits_tasks import task
from tests.redteam.local import agreements

REFERENCE = {
    ("logistic regression", "label"): (0.901, 0.951),
    ("perceptron", "full"): (0.916, 0.967),
    ("perceptron", "label"): (0.901, 0.959),
    ("random forest", "label"): (0.902, 0.948),
}
"""Mean agreement of KnockoffNets after 100 and 300 inputs of the task's kind, of 3 seeds; where
labels alone are held to, scores are only of the perceptron."""


@pytest.mark.slow
@pytest.mark.parametrize(("model", "mode"), REFERENCE)
def test_it_agrees_as_often_as_the_reference(model: str, mode: str) -> None:
    found = np.array(
        [
            asyncio.run(agreements(ATTACK, task(model, 1_000), (100, 300), mode=mode, seed=seed))
            for seed in range(3)
        ]
    )
    # The judge's 450 images are a sample too: its binomial error stands beside the seeds'.
    mean = found.mean(axis=0)
    error = np.sqrt(found.var(axis=0, ddof=1) / 3 + mean * (1 - mean) / 450)
    assert np.all(mean >= np.array(REFERENCE[model, mode]) - 2 * error - 0.01)


def test_a_few_real_inputs_and_labels_copy_a_regression() -> None:
    found = asyncio.run(
        agreements(ATTACK, task("logistic regression", 1_000), (100,), mode="label")
    )
    assert found[0] > 0.85

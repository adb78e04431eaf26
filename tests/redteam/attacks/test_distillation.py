"""Distillation from the task's own data reaches table 2.1 of the reference, without defence."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from extproc.redteam.attacks.distillation import ATTACK, least_sure, standing_for_most
from extproc.redteam.surrogates.gathered import Gathered
from tests.redteam.digits_tasks import task
from tests.redteam.local import LocalClient, agreements, copies

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
    assert np.all(mean >= np.array(REFERENCE[model, mode]) - 2 * error)


def test_a_few_real_inputs_and_labels_copy_a_regression() -> None:
    found = asyncio.run(
        agreements(ATTACK, task("logistic regression", 1_000), (100,), mode="label")
    )
    assert found[0] > 0.85


def test_of_groups_of_inputs_the_middle_of_each_stands_for_it() -> None:
    rng = np.random.default_rng(0)
    middles = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    around = rng.normal(size=(3, 20, 2))
    around -= around.mean(axis=1, keepdims=True)  # so that the middle is that of its group
    around[:, 0] = 0
    groups = (middles[:, None] + around).reshape(-1, 2)
    assert sorted(standing_for_most(groups, 3, rng)) == [0, 20, 40]


def test_of_inputs_those_between_two_labels_are_the_least_sure() -> None:
    plain = replace(task("logistic regression", 600), low=np.zeros(1), high=np.ones(1))
    inputs = np.concatenate([np.linspace(0, 0.3, 20), np.linspace(0.7, 1, 20)])[:, None]
    labels = np.repeat([0, 1], 20)
    known = Gathered(inputs, labels, np.eye(2)[labels], np.zeros(40, bool))
    victim = plain.victim(LocalClient(plain.scores))
    order = least_sure(
        known, np.array([[0.1], [0.5], [0.9], [0.35]]), victim, np.random.default_rng(0)
    )
    assert order[:2].tolist() == [1, 3]


def test_it_asks_about_all_that_is_real_before_what_was_made_and_about_nothing_twice() -> None:
    plain = task("logistic regression", 1_000)
    client = LocalClient(plain.scores)
    asyncio.run(copies(ATTACK, plain, (100, 300, 700), client=client))
    asked = np.concatenate(client.asked)
    real = {row.tobytes() for row in plain.task[: plain.real]}
    assert len(asked) == 700
    assert {row.tobytes() for row in asked[: plain.real]} == real
    assert len({row.tobytes() for row in asked}) == 700


def test_a_thief_who_gets_no_answer_comes_to_its_end() -> None:
    plain = task("logistic regression", 600)
    client = LocalClient(plain.scores, refuse_after=0)
    made = asyncio.run(copies(ATTACK, plain, (100, 300, 3_000), client=client))
    assert [copy.budget for copy in made] == [100, 300]

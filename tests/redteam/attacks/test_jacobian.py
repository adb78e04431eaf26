"""Jacobian augmentation: steps along slopes, and more from as many questions than by chance."""

import asyncio

import numpy as np
import pytest

from extproc.redteam.answers import Answers
from extproc.redteam.attacks import knockoff_random
from extproc.redteam.attacks.jacobian import ATTACK, stepped
from extproc.redteam.surrogates.gathered import Gathered
from extproc.redteam.surrogates.pupil import Pupil
from tests.redteam.digits_tasks import task
from tests.redteam.local import Task, agreements


def test_a_step_makes_the_given_label_likelier_and_stays_within_bounds() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.uniform(0, 1, (200, 3))
    labels = (inputs[:, 0] > 0.5).astype(np.int64)
    told = Answers(labels, None, np.ones(200, bool))
    gathered = Gathered.nothing(3, 2).with_answers(inputs, told)
    pupil = Pupil(np.zeros(3), np.ones(3), rng)
    pupil.learn(gathered)
    moved = stepped(pupil, gathered, np.arange(200), 0.1)
    toward = np.where(labels == 1, 1, -1) * (moved - inputs)[:, 0]
    assert np.mean(toward >= 0) > 0.95
    assert np.all((moved >= 0) & (moved <= 1))


@pytest.mark.slow
def test_it_beats_uniform_inputs_at_as_many_questions() -> None:
    found = asyncio.run(agreements(ATTACK, task("perceptron", 600), (100, 1_000), mode="label"))
    plain = task("perceptron", 600)
    uniform = np.random.default_rng(0).uniform(plain.low, plain.high, (1_000, 64))

    drawn = Task(plain.scores, 10, plain.low, plain.high, plain.task, uniform, plain.test)
    by_chance = asyncio.run(agreements(knockoff_random.ATTACK, drawn, (100, 1_000), mode="label"))
    assert found[-1] > by_chance[-1] + 0.2
    assert found[-1] > 0.85

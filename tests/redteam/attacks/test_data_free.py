"""Made-up inputs: of all kinds, within bounds, and more telling where the copies differ."""

import asyncio

import numpy as np
import pytest

from extproc.redteam.attacks.data_free import (
    ATTACK,
    OPENING,
    crossed,
    disagreement_slope,
    meeting_slope,
    noise,
)
from tests.redteam.digits_tasks import task
from tests.redteam.local import MODES, LocalClient, agreements, copies

RANDOM_LABELS = {"logistic regression": 0.494, "perceptron": 0.372, "random forest": 0.554}
"""Table 2.1 of the reference: agreement after 1,000 uniform inputs and their labels."""


def test_made_up_inputs_stay_within_bounds() -> None:
    low, high = np.array([0.0, -1.0]), np.array([16.0, 1.0])
    made = noise(300, low, high, np.random.default_rng(0))
    mixed = crossed(made, 100, np.random.default_rng(1))
    for inputs in (made, mixed):
        assert np.all((inputs >= low) & (inputs <= high))


def test_members_that_agree_are_pulled_nowhere_and_others_apart() -> None:
    alike = np.full((2, 1, 2), 0.5, np.float32)
    assert not disagreement_slope(alike).any()
    apart = np.array([[[0.8, 0.2]], [[0.2, 0.8]]], np.float32)
    slope = disagreement_slope(apart)
    assert slope[0, 0, 0] > 0 > slope[1, 0, 0]


def test_of_two_labels_the_lower_is_raised_against_the_highest_of_the_others() -> None:
    logits = np.array([[[2.0, 1.0, 0.0]], [[0.0, 1.0, 2.0]]], np.float32)
    pairs = np.array([[0.0, 1.0, 1.0]], np.float32)
    assert meeting_slope(logits, pairs).tolist() == [[[-1, 0, 1]], [[-1, 1, 0]]]


def test_it_crosses_what_it_has_asked_before() -> None:
    plain = task("logistic regression", 600)
    client = LocalClient(plain.scores)
    asyncio.run(copies(ATTACK, plain, (OPENING, 2 * OPENING), client=client))
    asked = np.concatenate(client.asked)
    known = [set(column) for column in asked[:OPENING].T.tolist()]
    inherited = [
        all(value in values for value, values in zip(row, known, strict=True))
        for row in asked[OPENING:].tolist()
    ]
    assert sum(inherited) > 3, "each feature from one of two"


def test_it_asks_within_bounds_and_not_more_than_its_budget() -> None:
    plain = task("logistic regression", 600)
    client = LocalClient(plain.scores)
    found = asyncio.run(copies(ATTACK, plain, (100, 250), client=client))
    asked = np.concatenate(client.asked)
    assert len(asked) == 250
    assert [copy.budget for copy in found] == [100, 250]
    assert np.all((asked >= plain.low) & (asked <= plain.high))


def test_it_opens_with_noise_of_all_kinds_whatever_is_answered_and_steers_after_it() -> None:
    plain = task("logistic regression", 600)
    asked = []
    for mode in ("full", "label"):
        client = LocalClient(plain.scores, MODES[mode])
        asyncio.run(copies(ATTACK, plain, (70, 250), client=client))
        asked.append(np.concatenate(client.asked))
    at_bounds = ((asked[0] == plain.low) | (asked[0] == plain.high)).mean(axis=1)
    shares = [np.mean(at_bounds[:OPENING] == 0), np.mean(at_bounds[:OPENING] == 1)]
    np.testing.assert_allclose(shares, 1 / 3, atol=0.02)
    assert np.array_equal(asked[0][:OPENING], asked[1][:OPENING])
    assert not np.array_equal(asked[0][OPENING:], asked[1][OPENING:])


@pytest.mark.slow
@pytest.mark.parametrize("model", RANDOM_LABELS)
def test_it_beats_uniform_inputs_of_the_reference_at_as_many_labels(model: str) -> None:
    found = asyncio.run(agreements(ATTACK, task(model, 600), (100, 300, 1_000), mode="label"))
    assert found[-1] > RANDOM_LABELS[model] + 0.1

"""Perceptrons: their slopes, their lockstep, what they make of withheld scores."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from extproc.redteam.answers import Floats
from extproc.redteam.surrogates.perceptron import (
    Committee,
    Course,
    Lesson,
    Perceptrons,
    Scale,
    Singles,
    cross_entropy_slope,
    softmax,
    train,
    train_each,
)

QUICK = Course(hidden=(16,), steps=60, batch=32, rate=1e-2)


def loss(logits: Floats, targets: Floats) -> float:
    """The cross entropy where what a row lacks is the mass of its zeros together, written out."""
    likely = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    lacking = np.maximum(1 - targets.sum(axis=-1), 0)
    hidden = np.where(targets > 0, 0, likely).sum(axis=-1)
    known = np.where(targets > 0, targets * np.log(likely), 0).sum()
    return float(
        -known - (np.where(hidden > 0, lacking * np.log(np.maximum(hidden, 1e-12)), 0)).sum()
    )


@pytest.mark.parametrize(
    "row", [[0.7, 0.2, 0.1, 0], [1, 0, 0, 0], [0.6, 0.2, 0, 0], [0.25, 0.25, 0.25, 0.25]]
)
def test_the_slope_of_the_loss_is_the_one_of_finite_differences(row: list[float]) -> None:
    logits, targets = np.array([[0.3, -1.0, 0.8, 0.1]]), np.array([row])
    steps = np.eye(4) * 1e-5
    found = [(loss(logits + s, targets) - loss(logits - s, targets)) / 2e-5 for s in steps]
    slope = cross_entropy_slope(logits.astype(np.float32), targets.astype(np.float32))
    np.testing.assert_allclose(slope[0], found, atol=1e-4)


@pytest.mark.parametrize("hidden", [(7,), (7, 6)])
def test_slopes_in_weights_biases_and_inputs_are_those_of_finite_differences(
    hidden: tuple[int, ...],
) -> None:
    rng = np.random.default_rng(0)
    drawn = Perceptrons.drawn((5, *hidden, 3), rng.spawn(2))
    # In doubles, for differences that are small; the arithmetic is the same.
    weights: Any = tuple(each.astype(np.float64) for each in drawn.weights)
    biases: Any = tuple(each.astype(np.float64) + 0.1 for each in drawn.biases)
    one = Perceptrons(weights, biases)
    inputs: Any = rng.standard_normal((2, 4, 5))
    pull: Any = rng.standard_normal((2, 4, 3))
    slopes, inward = one.slopes(one.layers(inputs), pull)
    parts: list[Any] = [each for pair in zip(weights, biases, strict=True) for each in pair]
    for part, slope in [*zip(parts, slopes, strict=True), (inputs, inward)]:
        place = tuple(int(rng.integers(side)) for side in part.shape)
        kept, values = part[place], []
        for by in (1e-6, -1e-6):
            part[place] = kept + by
            values.append(float((one.logits(inputs) * pull).sum()))
        part[place] = kept
        assert slope[place] == pytest.approx((values[0] - values[1]) / 2e-6, abs=1e-5)


def lessons(rng: np.random.Generator) -> tuple[Singles, list[Lesson]]:
    inputs = rng.standard_normal((300, 6)).astype(np.float32)
    labels = inputs[:, :3].argmax(axis=1)
    targets = np.eye(3, dtype=np.float32)[labels]
    return inputs, [Lesson(np.arange(count), targets) for count in (50, 150, 300)]


def same(one: Sequence[Singles], other: Sequence[Singles]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_members_come_out_of_lockstep_as_they_would_alone() -> None:
    inputs, taught = lessons(np.random.default_rng(1))
    together = train_each(inputs, taught, np.random.default_rng(2).spawn(3), QUICK)
    alone = [
        train_each(inputs, [lesson], [rng], QUICK)
        for lesson, rng in zip(taught, np.random.default_rng(2).spawn(3), strict=True)
    ]
    for at, member in enumerate(alone):
        assert same(together.members(at, at + 1).weights, member.weights)
        assert same(together.members(at, at + 1).biases, member.biases)


def test_the_same_generator_gives_the_same_members_and_another_gives_others() -> None:
    inputs, taught = lessons(np.random.default_rng(1))
    one, again, other = (
        train(inputs, taught, np.random.default_rng(seed), QUICK) for seed in (3, 3, 4)
    )
    assert same(one.weights, again.weights)
    assert not same(one.weights, other.weights)


def test_they_learn_labels_that_can_be_learnt() -> None:
    rng = np.random.default_rng(1)
    inputs, taught = lessons(rng)
    scale = Scale.of(inputs.astype(np.float64), np.full(6, -3.0), np.full(6, 3.0))
    course = Course(hidden=(32,), steps=300, batch=64)
    members = train(scale(inputs), taught[2:], rng, course)
    fresh = rng.standard_normal((500, 6))
    assert len(members) == 1
    assert np.mean(Committee(scale, members)(fresh) == fresh[:, :3].argmax(axis=1)) > 0.93


def test_training_goes_on_from_where_it_was() -> None:
    inputs, taught = lessons(np.random.default_rng(1))
    rng = np.random.default_rng(2)
    begun = train(inputs, taught, rng, QUICK)
    kept = [each.copy() for each in begun.weights]
    on = train(inputs, taught, rng, Course((16,), steps=1, rate=0.0), begun)
    assert same(on.weights, kept)
    assert same(begun.weights, kept)


def test_a_feature_that_hardly_varies_does_not_shout() -> None:
    inputs = np.zeros((50, 2))
    inputs[:, 1] = np.linspace(0, 1, 50)
    scale = Scale.of(inputs, np.zeros(2), np.ones(2))
    assert scale(np.array([[1.0, 1.0]])).max() <= 1 / 0.05


def test_a_softmax_sums_to_one_however_large_its_logits() -> None:
    np.testing.assert_allclose(softmax(np.array([[1e4, 0.0, -1e4]], np.float32)), [[1, 0, 0]])


def test_the_first_step_moves_every_parameter_by_the_rate_against_its_slope() -> None:
    """Kingma and Ba: both averages are corrected for having begun at nothing."""
    inputs, taught = lessons(np.random.default_rng(1))
    course = Course((16,), steps=1, batch=300, rate=1e-3, shrink=0.0)
    begun = Perceptrons.drawn((6, 16, 3), np.random.default_rng(2).spawn(1))
    moved = train(inputs, taught[2:], np.random.default_rng(3), course, begun)
    values = begun.layers(inputs[None])
    slope = cross_entropy_slope(values[-1], taught[2].targets[None]) / np.float32(300)
    wanted = begun.slopes(values, slope)[0][2]
    sure = np.abs(wanted) > 1e-4
    steps = moved.weights[1] - begun.weights[1]
    assert sure.mean() > 0.9
    np.testing.assert_allclose(steps[sure], -1e-3 * np.sign(wanted[sure]), rtol=2e-3)

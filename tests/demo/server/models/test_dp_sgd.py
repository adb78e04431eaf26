"""Each law of private training by itself; that they hold together is for `test_dp_game.py`."""

from dataclasses import replace

import numpy as np
import pytest

from extproc.demo.server.models.classifier import Floats
from extproc.demo.server.models.dp_sgd import (
    NOWHERE,
    Recipe,
    Weights,
    clipped_sum,
    noised,
    sampled,
    steps,
    train,
)

RNG = np.random.default_rng(3)
ROWS, LABELS = RNG.uniform(0, 1, (40, 6)), RNG.integers(0, 3, 40)
WEIGHTS: Weights = (
    *(RNG.normal(0, 0.7, (6, 5)), RNG.normal(0, 0.1, 5)),
    *(RNG.normal(0, 0.7, (5, 3)), RNG.normal(0, 0.1, 3)),
)
RECIPE = Recipe(rate=0.5, steps=20, noise=1.5, clip=0.4, learning_rate=0.1)
SHAPE = (5, 3)


def _flat(weights: Weights) -> Floats:
    return np.concatenate([part.ravel() for part in weights])


def _single(at: int, clip: float = NOWHERE) -> Floats:
    return _flat(clipped_sum(WEIGHTS, ROWS[at : at + 1], LABELS[at : at + 1], clip))


def _loss(weights: Weights, at: int) -> float:
    inner, inner_bias, outer, outer_bias = weights
    logits = np.maximum(ROWS[at] @ inner + inner_bias, 0) @ outer + outer_bias
    return float(np.log(np.exp(logits).sum()) - logits[LABELS[at]])


def test_the_gradient_of_one_record_is_the_slope_of_its_loss() -> None:
    for at in range(3):
        gradient = clipped_sum(WEIGHTS, ROWS[at : at + 1], LABELS[at : at + 1], NOWHERE)
        for part in range(4):
            slopes = np.zeros_like(WEIGHTS[part])
            for place in np.ndindex(slopes.shape):
                moved: list[Weights] = []
                for by in (1e-6, -1e-6):
                    parts = [each.copy() for each in WEIGHTS]
                    parts[part][place] += by
                    moved.append((parts[0], parts[1], parts[2], parts[3]))
                slopes[place] = (_loss(moved[0], at) - _loss(moved[1], at)) / 2e-6
            np.testing.assert_allclose(gradient[part], slopes, atol=1e-7)


def test_each_record_of_a_batch_is_cut_by_itself_as_if_it_were_alone() -> None:
    singles = np.array([_single(at) for at in range(len(ROWS))])
    norms = np.linalg.norm(singles, axis=1)
    clip = float(np.median(norms))
    cut = singles * np.minimum(1, clip / norms)[:, None]
    whole = _flat(clipped_sum(WEIGHTS, ROWS, LABELS, clip))
    np.testing.assert_allclose(whole, cut.sum(axis=0), atol=1e-12)


@pytest.mark.parametrize("clip", [1e-3, 0.4, 3.0])
def test_no_record_weighs_more_than_the_clip_and_a_large_one_as_much(clip: float) -> None:
    for at in range(len(ROWS)):
        norm = np.linalg.norm(_single(at, clip))
        whole = np.linalg.norm(_single(at))
        assert norm == pytest.approx(min(clip, whole))


def test_a_batch_of_nobody_is_no_gradient() -> None:
    assert not _flat(clipped_sum(WEIGHTS, ROWS[:0], LABELS[:0], 1.0)).any()


def test_noise_has_the_scale_of_the_clip_and_is_drawn_for_each_number() -> None:
    nothing: Weights = (np.zeros((200, 200)), np.zeros(200), np.zeros((200, 50)), np.zeros(50))
    drawn = _flat(noised(nothing, RECIPE, np.random.default_rng(1)))
    assert len(np.unique(drawn)) == len(drawn) == 50_250
    # Five standard errors of a mean and of a standard deviation.
    assert abs(drawn.mean()) < 5 * 0.6 / len(drawn) ** 0.5
    assert abs(drawn.std() - RECIPE.noise * RECIPE.clip) < 5 * 0.6 / (2 * len(drawn)) ** 0.5


def test_each_record_is_drawn_by_itself() -> None:
    rng = np.random.default_rng(2)
    drawn = np.array([sampled(50, 0.2, rng) for _ in range(4_000)])
    np.testing.assert_allclose(drawn.mean(axis=0), 0.2, atol=0.03)
    assert abs(drawn.sum(axis=1).var() - 50 * 0.2 * 0.8) < 1, "a batch of fixed size varies less"


def test_a_step_divides_by_the_records_expected_and_not_by_those_drawn() -> None:
    still = replace(RECIPE, momentum=0.0)
    for step in steps(ROWS, LABELS, SHAPE, still, np.random.default_rng(4)):
        for before, total, after in zip(step.before, step.total, step.after, strict=True):
            expected = before - still.learning_rate * total / (still.rate * len(ROWS))
            np.testing.assert_allclose(after, expected, atol=1e-12)


def test_weights_follow_from_the_seed() -> None:
    one, again, other = (
        _flat(train(ROWS, LABELS, SHAPE, RECIPE, np.random.default_rng(seed))) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def test_it_learns_what_can_be_learnt() -> None:
    rows = np.random.default_rng(5).uniform(0, 1, (600, 4))
    labels = rows[:, :3].argmax(axis=1)
    recipe = replace(RECIPE, steps=150, learning_rate=0.5, clip=1.0)
    weights = train(rows, labels, (16, 3), recipe, np.random.default_rng(6))
    scores = np.maximum(rows @ weights[0] + weights[1], 0) @ weights[2] + weights[3]
    assert np.mean(scores.argmax(axis=1) == labels) > 0.85

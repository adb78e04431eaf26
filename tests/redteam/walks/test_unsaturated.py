"""Where a model's classes tie, and how far from there to ask."""

import numpy as np
import pytest

from extproc.redteam.surrogates.softmax_regression import SoftmaxRegression
from extproc.redteam.walks.unsaturated import STEP, Box, around, radius, tie, unsure
from tests.redteam.local_scene import cancer, digits

DIGITS = digits()
BOX = Box(DIGITS.victim.low, DIGITS.victim.high)


def test_all_classes_are_equally_likely_at_the_tie() -> None:
    for each in (DIGITS, cancer()):
        box = Box(each.victim.low, each.victim.high)
        at = tie(each.model, box)
        assert (at >= box.low).all()
        assert (at <= box.high).all()
        scores = each.model.probabilities(at[None])[0]
        assert scores == pytest.approx(np.full(len(scores), 1 / len(scores)), abs=0.01)


def test_a_block_of_directions_is_orthogonal_and_changes_logits_by_a_step() -> None:
    at, far = tie(DIGITS.model, BOX), radius(DIGITS.model, BOX)
    asked = around(np.random.default_rng(1), 64, at, BOX, far)

    moved = (asked - at) / BOX.half / far
    inside = ((asked > BOX.low) & (asked < BOX.high)).all(axis=1)
    assert np.diag(moved @ moved.T)[inside] == pytest.approx(64.0)
    logits = DIGITS.model.logits(asked)
    deviation = (logits - logits.mean(axis=1, keepdims=True)).std()
    assert deviation == pytest.approx(STEP, rel=0.3)


def test_unsure_inputs_lie_nearer_to_a_boundary_than_others() -> None:
    asked = unsure(np.random.default_rng(1), 200, DIGITS.model, BOX)

    logits = np.sort(DIGITS.model.logits(asked), axis=1)
    gap = (logits[:, -1] - logits[:, -2]) / logits.std(axis=1)
    assert asked.shape == (200, 64)
    assert np.median(gap[:100]) < np.median(gap[100:]) / 2


def test_a_box_has_a_middle_and_halves_and_nothing_is_asked_outside_of_it() -> None:
    box = Box(np.array([0.0, -1.0]), np.array([4.0, 1.0]))
    assert (box.middle.tolist(), box.half.tolist()) == ([2, 0], [2, 1])
    asked = around(np.random.default_rng(1), 50, np.array([4.0, 0.0]), box, 1.0)
    assert (asked >= box.low).all()
    assert (asked <= box.high).all()
    assert len(np.unique(asked, axis=0)) > 25


def test_where_logits_hardly_change_the_whole_box_is_as_far_as_one_goes() -> None:
    flat = SoftmaxRegression(np.full((3, 2), 1e-9) * [1, 2])
    assert radius(flat, Box(np.zeros(2), np.ones(2))) == 1.0

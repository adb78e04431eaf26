"""Planted maps and rotations are found again."""

import numpy as np
import pytest

from extproc.redteam.surrogates import ridge

RNG = np.random.default_rng(0)
MAP = RNG.normal(size=(20, 12))
INPUTS = RNG.normal(size=(600, 20))


def test_least_squares_finds_a_map_and_its_offset_from_one_pair_more_than_dimensions() -> None:
    fitted = ridge.least_squares(INPUTS[:21], INPUTS[:21] @ MAP + 3)
    assert np.allclose(fitted(INPUTS), INPUTS @ MAP + 3, atol=1e-6)


def test_of_maps_that_fit_equally_the_smallest_is_taken() -> None:
    fitted = ridge.least_squares(INPUTS[:5], INPUTS[:5] @ MAP)
    assert np.allclose(fitted(INPUTS[:5]), INPUTS[:5] @ MAP, atol=1e-6)
    assert np.linalg.norm(fitted.weights) < np.linalg.norm(MAP)


def test_the_penalty_of_noisy_pairs_is_chosen_by_what_was_held_out() -> None:
    inputs = INPUTS * np.where(np.arange(20) < 4, 10, 0.1)
    target = inputs @ MAP
    noisy = target[:60] + 15 * RNG.normal(size=(60, 12))
    weak, strong = ridge.Spectrum.of(inputs[:60]).fits(noisy, (1e-6, 100.0))
    fitted = ridge.chosen(inputs[:60], noisy, (1e-6, 100.0))
    assert np.allclose(fitted.weights, strong.weights)
    assert ridge.cosine(strong(inputs[60:]), target[60:]) > ridge.cosine(
        weak(inputs[60:]), target[60:]
    )
    exact = ridge.chosen(INPUTS[:60], INPUTS[:60] @ MAP, (1e-6, 30.0))
    assert np.allclose(exact.weights, MAP, atol=1e-6), "without noise the weakest does best"


def test_too_few_pairs_to_hold_any_out_take_the_strongest_penalty() -> None:
    fitted = ridge.chosen(INPUTS[:3], INPUTS[:3] @ MAP, (0.0, 1e9))
    assert np.abs(fitted.weights).max() < 1e-6


def test_signs_give_directions_away() -> None:
    fitted = ridge.of_signs(INPUTS, np.sign(INPUTS @ MAP))
    found = fitted.weights / np.linalg.norm(fitted.weights, axis=0)
    true = MAP / np.linalg.norm(MAP, axis=0)
    assert np.sum(found * true, axis=0).min() > 0.98


def test_a_planted_rotation_is_found() -> None:
    rotation = np.linalg.qr(RNG.normal(size=(12, 12)))[0]
    points = RNG.normal(size=(40, 12))
    assert np.allclose(ridge.procrustes(points, points @ rotation), rotation)


def test_cosine_is_the_mean_over_rows_and_nothing_for_zeros() -> None:
    one, two = np.array([[1.0, 0], [0, 2], [0, 0]]), np.array([[2.0, 0], [3, 0], [1, 1]])
    assert ridge.cosine(one, two) == pytest.approx(1 / 3)

"""The three questions find what is there, and nothing where nothing is."""

import numpy as np
import pytest

from tests.sidechannels.statistics import bits, told

DRAW = np.random.default_rng(7)
COUNT = 20_000


def normal(
    middle: float = 0.0, spread: float = 1.0
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return DRAW.normal(middle, spread, COUNT)


def test_nothing_is_found_where_nothing_is() -> None:
    found = told(normal(), normal())
    assert found.bits < 0.001
    assert 0.45 < found.auc < 0.55
    assert found.chance > 0.001
    assert found.distance < 0.03
    low, high = found.between
    assert 0.4 < low < 0.5 < high < 0.6


def test_a_shift_of_a_tenth_shows_in_the_mean_of_fifty() -> None:
    found = told(normal(0.1), normal())
    assert found.auc < 0.4
    assert found.between[0] < found.auc < found.between[1] < 0.45
    assert found.apart == pytest.approx(-0.1, abs=0.04)
    assert found.chance < 1e-6


def test_a_difference_of_shape_alone_is_found_too() -> None:
    found = told(normal(0, 1), normal(0, 3))
    assert 0.3 < found.auc < 0.7
    assert found.bits > 0.1
    assert found.chance < 1e-9


def test_what_is_told_for_certain_is_one_bit() -> None:
    found = told(normal(0), normal(100))
    assert found.bits == pytest.approx(1, abs=0.001)
    assert found.auc == 1
    assert found.distance == 1
    assert bits(np.full(100, 1.0), np.full(100, 2.0)) == pytest.approx(1, abs=0.01)


def test_alike_values_tell_nothing() -> None:
    found = told(np.full(100, 7.0), np.full(100, 7.0))
    assert (found.distance, found.chance, found.auc, found.bits) == (0, 1, 0.5, 0)
    assert (found.between, found.apart) == ((0.5, 0.5), 0)


def test_the_bias_of_counting_is_taken_off() -> None:
    few = [bits(DRAW.normal(0, 1, 200), DRAW.normal(0, 1, 200)) for _ in range(50)]
    assert np.mean(few) < 0.01

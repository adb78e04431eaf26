"""Moves are coins of a key, by region of the space."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.draw import Draw
from extproc.marks.positions import CORNERS, MOST, POLYTOPES, positions
from tests.mutators.vectors import gaussian

KEY = Draw(b"k" * 32)


def test_a_tenth_is_moved_up_as_often_as_down_and_apart_from_the_others() -> None:
    """Planted: signs that hang together fail here, on which the test of a copy rests."""
    moves = positions(KEY, 384).moves.astype(float)
    assert moves.shape == (POLYTOPES, CORNERS, 384)
    assert np.abs(moves).mean() == pytest.approx(26 / 256, abs=0.005)
    assert abs(moves.sum()) < 4 * np.sqrt(np.abs(moves).sum())
    for one, other in combinations(moves.reshape(-1, 384)[::7], 2):
        assert abs(one @ other) < 5 * np.sqrt(np.abs(one * other).sum() + 1)


def test_each_key_has_its_own() -> None:
    one, other = positions(KEY, 128), positions(Draw(b"o" * 32), 128)
    assert abs(np.vdot(one.moves.astype(float), other.moves)) < 5 * np.sqrt(
        np.abs(one.moves * other.moves).sum()
    )
    assert not np.array_equal(one.directions, other.directions)


def test_of_fewer_dimensions_they_are_the_first_ones() -> None:
    whole, head = positions(KEY, 512), positions(KEY, 100)
    assert np.array_equal(whole.moves[..., :100], head.moves)
    assert np.array_equal(whole.directions, head.directions)


def test_no_more_are_drawn_than_can_be_kept() -> None:
    assert positions(KEY, MOST) is positions(KEY, 10**6)


@given(st.integers(0, 2**32), st.sampled_from([2, 8, 64, 300]))
def test_a_vector_and_its_opposite_are_in_opposite_corners(seed: int, dimensions: int) -> None:
    values, placed = gaussian(seed, dimensions), positions(KEY, dimensions)
    one, other = placed.corners(values), placed.corners(-values)
    assert np.all((one >= 0) & (one < CORNERS))
    assert np.all(np.abs(one - other) == CORNERS // 2)


def test_what_is_added_to_all_components_changes_no_region() -> None:
    values, placed = gaussian(1, 64), positions(KEY, 64)
    assert np.array_equal(placed.corners(values), placed.corners(values + 0.25))


def test_regions_are_about_as_large_as_each_other() -> None:
    placed = positions(KEY, 64)
    corners = np.array([placed.corners(gaussian(seed, 64)) for seed in range(3000)])
    for each in corners.T:
        counts = np.bincount(each, minlength=CORNERS)
        assert counts.min() > 3000 / CORNERS / 2
        assert counts.max() < 3000 / CORNERS * 2


def test_the_moves_are_the_sum_of_those_of_its_corners() -> None:
    values, placed = gaussian(3, 200), positions(KEY, 200)
    wanted = sum(
        placed.moves[polytope, corner].astype(int)
        for polytope, corner in enumerate(placed.corners(values))
    )
    assert placed.of(values).tolist() == np.asarray(wanted).tolist()


def test_what_has_no_head_has_a_region_too() -> None:
    values = np.zeros(100)
    values[80] = 1.0
    assert positions(KEY, 100).corners(values).tolist() == [0] * POLYTOPES

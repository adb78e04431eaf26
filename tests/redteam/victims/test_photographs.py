import numpy as np
import pytest

from extproc.redteam.victims.photographs import patches


def test_squares_are_stretched_to_the_whole_range() -> None:
    squares = patches(200, 8, 16.0, 3)
    assert squares.shape == (200, 64)
    np.testing.assert_allclose(squares.min(axis=1), 0)
    np.testing.assert_allclose(squares.max(axis=1), 16)
    assert len(np.unique(squares, axis=0)) == 200


def test_the_same_seed_gives_the_same_squares() -> None:
    made = patches.__wrapped__
    np.testing.assert_array_equal(made(20, 8, 1.0, 3), made(20, 8, 1.0, 3))


def test_victims_share_them_and_none_can_write_to_them() -> None:
    squares = patches(20, 8, 1.0, 3)
    assert patches(20, 8, 1.0, 3) is squares
    with pytest.raises(ValueError, match="read-only"):
        squares[0] = 0


def test_neighbouring_pixels_are_alike_as_in_pictures() -> None:
    squares = patches(500, 8, 1.0, 0).reshape(-1, 8, 8)
    beside = np.corrcoef(squares[:, :, :-1].ravel(), squares[:, :, 1:].ravel())[0, 1]
    assert beside > 0.5

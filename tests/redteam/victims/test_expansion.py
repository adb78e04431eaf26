import numpy as np
import pytest

from extproc.redteam.victims.expansion import expanded, shifted


def test_the_real_rows_come_first_and_the_others_lie_between_them() -> None:
    real = np.array([[0.0, 4.0], [2.0, 8.0], [1.0, 6.0]])
    rows = expanded(real, 50, 1)
    assert rows.shape == (50, 2)
    np.testing.assert_array_equal(rows[:3], real)
    np.testing.assert_allclose(rows[:, 1], 2 * rows[:, 0] + 4)  # as all three do
    assert len(np.unique(rows, axis=0)) > 30


def test_the_same_seed_gives_the_same_rows() -> None:
    real = np.arange(12.0).reshape(4, 3)
    np.testing.assert_array_equal(expanded(real, 20, 5), expanded(real, 20, 5))
    assert (expanded(real, 20, 5) != expanded(real, 20, 6)).any()


@pytest.mark.parametrize(
    ("by", "moved"),
    [
        ((0, 0), [[1, 2], [3, 4]]),
        ((1, 0), [[0, 0], [1, 2]]),
        ((0, 1), [[0, 1], [0, 3]]),
        ((-1, -1), [[4, 0], [0, 0]]),
    ],
)
def test_an_image_is_moved_and_black_comes_in(by: tuple[int, int], moved: list[list[int]]) -> None:
    image = np.array([[1.0, 2.0, 3.0, 4.0]])
    assert shifted(image, np.array([by]), 2).reshape(2, 2).tolist() == moved


def test_images_keep_their_bounds() -> None:
    real = np.random.default_rng(0).uniform(0, 16, (5, 64))
    rows = expanded(real, 300, 2, side=8)
    assert rows.min() >= 0
    assert rows.max() <= 16

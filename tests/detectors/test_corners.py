"""Bands: see extproc/detectors/corners.py."""

import numpy as np
import numpy.typing as npt
import pytest

from extproc.detectors.corners import Corners
from extproc.draw import Draw

CORNERS = Corners(Draw(b"k"))
Floats = npt.NDArray[np.float32]


def bands(vectors: Floats, corners: Corners = CORNERS) -> npt.NDArray[np.uint16]:
    return corners.nearest(vectors).astype("<u8").view("<u2").reshape(-1, 4)


def pairs(cosine: float, count: int = 400) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(0)
    one, other = rng.standard_normal((2, count, 256))
    one /= np.linalg.norm(one, axis=1, keepdims=True)
    other -= (one * other).sum(1, keepdims=True) * one
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    turned = cosine * one + np.sqrt(1 - cosine**2) * other
    return one.astype(np.float32), turned.astype(np.float32)


@pytest.mark.parametrize(
    ("cosine", "least", "most"),
    [(1.0, 1.0, 1.0), (0.98, 0.5, 0.7), (0.94, 0.3, 0.5), (0.39, 0.005, 0.06), (0.0, 0.0, 0.01)],
)
def test_vectors_meet_where_they_are_nearly_alike(cosine: float, least: float, most: float) -> None:
    one, other = pairs(cosine)
    assert least <= (bands(one) == bands(other)).mean() <= most


def test_length_makes_no_difference_and_each_vector_comes_out_as_it_would_alone() -> None:
    one, _ = pairs(0.0, 20)
    together = CORNERS.nearest(one)
    np.testing.assert_array_equal(together, CORNERS.nearest(one * np.float32(7)))
    assert [int(CORNERS.nearest(each[None])[0]) for each in one] == together.tolist()


def test_opposites_never_meet() -> None:
    one, _ = pairs(0.0, 100)
    assert not (bands(one) == bands(-one)).any()


def test_bands_are_spread_and_differ_from_each_other() -> None:
    one, _ = pairs(0.0, 2000)
    found = bands(one)
    assert all(len(set(found[:, band].tolist())) > 800 for band in range(4))
    assert (found[:, 0] == found[:, 1]).mean() < 0.01


def test_another_key_has_other_directions() -> None:
    one, _ = pairs(0.0)
    assert (bands(one) == bands(one, Corners(Draw(b"l")))).mean() < 0.01

"""Removals from copies of embedding models, by hand."""

import numpy as np
import pytest

from extproc.redteam.answers import Floats
from extproc.redteam.laundering.vectors import Means, cut, rounded, turned
from extproc.redteam.vector_judge import aligned_cosine, unit

TEXTS = [f"text {at}" for at in range(40)]
FLAT = np.random.default_rng(1).normal(size=(40, 4)) * [3.0, 2.0, 0.0, 0.0]
"""Along two of four axes."""
AXES = np.linalg.qr(np.random.default_rng(2).normal(size=(4, 4)))[0]


def _copy(texts: list[str]) -> Floats:
    vectors: Floats = FLAT[[TEXTS.index(text) for text in texts]] @ AXES
    return vectors


def _means(seed: int = 3) -> Means:
    return Means(TEXTS, np.random.default_rng(seed))


def test_eight_bits_are_whole_steps_of_the_largest_component() -> None:
    def copy(_: list[str]) -> Floats:
        return np.array([[1.27, -0.634, 0.0049], [0.0, 0.0, 0.0]])

    found = rounded(copy, _means())(["one", "none"])
    assert found == pytest.approx(np.array([[1.27, -0.63, 0.0], [0.0, 0.0, 0.0]]))
    assert len(set(np.rint(found[0] / 0.01))) == 3


def test_the_axes_that_are_kept_are_those_along_which_texts_differ() -> None:
    half = cut(_copy, _means())(TEXTS)
    assert half.shape == (40, 2)
    assert half @ half.T == pytest.approx(_copy(TEXTS) @ _copy(TEXTS).T)
    one = cut(_copy, _means(), 0.25)(TEXTS)
    assert one.shape == (40, 1)
    left = np.linalg.norm(one) ** 2 / np.linalg.norm(FLAT) ** 2
    largest = np.linalg.svd(FLAT, compute_uv=False) ** 2
    assert left == pytest.approx(largest[0] / largest.sum())


def test_a_rotation_keeps_angles_and_lengths_and_no_component() -> None:
    found = turned(_copy, _means())(TEXTS)
    assert found @ found.T == pytest.approx(_copy(TEXTS) @ _copy(TEXTS).T)
    assert np.abs(found - _copy(TEXTS)).max() > 1
    assert aligned_cosine(unit(found), unit(_copy(TEXTS))) == pytest.approx(1)
    assert found == pytest.approx(turned(_copy, _means())(TEXTS))
    assert turned(_copy, _means(4))(TEXTS) != pytest.approx(found)

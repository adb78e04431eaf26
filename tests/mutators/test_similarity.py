"""Laws of Similarity."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.errors import UpstreamError
from extproc.mutators.similarity import Similarity
from extproc.prediction import Embedding, Vector
from tests.mutators.vectors import frozen, gaussian


def shown(vectors: list[Vector], digits: int = 2) -> Vector:
    rows = Similarity(digits=digits).apply_all([Embedding(values) for values in vectors])
    return np.array([row.values for row in rows])


@given(st.lists(st.integers(0, 2**32), min_size=1, max_size=12), st.integers(1, 4))
def test_rows_are_the_rounded_cosines_of_every_two_inputs(seeds: list[int], digits: int) -> None:
    vectors = [gaussian(seed, 30, 1.0 + seed % 7) for seed in seeds]
    matrix = shown(vectors, digits)
    assert matrix.shape == (len(seeds), len(seeds))
    assert (matrix == matrix.T).all()
    assert (np.diag(matrix) == 1.0).all()
    for row, first in zip(matrix, vectors, strict=True):
        for told, second in zip(row, vectors, strict=True):
            exact = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
            assert abs(told - exact) <= 0.5 * 10.0**-digits + 1e-9
            assert repr(float(told)) == repr(round(float(told), digits) + 0.0)


def test_nothing_of_a_lone_vector_is_told() -> None:
    assert shown([gaussian(1, 384)]).tolist() == [[1.0]]


def test_vectors_at_the_same_angles_get_the_same_answer() -> None:
    vectors = [gaussian(seed, 20) for seed in range(5)]
    turned = [frozen(values[::-1] * 3.0) for values in vectors]
    assert shown(vectors).tobytes() == shown(turned).tobytes()


def test_a_vector_of_zeros_is_near_to_nothing_but_itself() -> None:
    assert shown([frozen([0.0, 0.0]), frozen([-1.0, 0.0])]).tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_no_inputs_have_no_similarities() -> None:
    assert Similarity(digits=2).apply_all([]) == []


def test_vectors_of_different_sizes_are_refused() -> None:
    with pytest.raises(UpstreamError):
        shown([gaussian(1, 3), gaussian(1, 4)])


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e200])
def test_what_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(UpstreamError):
        shown([frozen([1.0, 0.0]), frozen([1.0, value])])


def test_no_more_are_compared_than_can_be_at_once() -> None:
    most = Similarity.MOST
    assert shown([gaussian(seed, 3) for seed in range(most)]).shape == (most, most)
    with pytest.raises(UpstreamError, match=f"more than {most} embeddings"):
        shown([gaussian(seed, 3) for seed in range(most + 1)])


@pytest.mark.parametrize("digits", [0, 5])
def test_digits_are_few(digits: int) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"kind": "similarity", "digits": digits}, Similarity)

"""Laws of Truncate."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.errors import UpstreamError
from extproc.mutators._norm import norm
from extproc.mutators.truncate import Truncate
from extproc.prediction import Embedding, Vector
from tests.mutators.vectors import embeddings, frozen, gaussian

dimensions = st.integers(1, 300)


def shown(prediction: Embedding, size: int) -> Vector:
    result = Truncate(dimensions=size).apply(prediction)
    assert isinstance(result, Embedding)
    return result.values


@given(embeddings, dimensions)
def test_the_first_components_are_shown_and_keep_their_direction(
    prediction: Embedding, size: int
) -> None:
    head = prediction.values[:size]
    values = shown(prediction, size)
    assert values.shape == head.shape
    length = norm(head)
    if length > 0:
        np.testing.assert_allclose(values, head * (norm(values) / length), rtol=1e-12)


@given(embeddings, dimensions)
def test_a_vector_that_is_short_enough_is_not_copied(prediction: Embedding, size: int) -> None:
    once = Truncate(dimensions=size).apply(prediction)
    assert once is not None
    assert Truncate(dimensions=size).apply(once) is once


@given(st.integers(0, 2**32), dimensions, st.sampled_from([1.0, 0.999, 1.004]))
def test_a_unit_vector_stays_one(seed: int, size: int, length: float) -> None:
    values = shown(Embedding(gaussian(seed, 384, length)), size)
    assert np.linalg.norm(values) == pytest.approx(1.0, rel=1e-12)


@given(st.integers(0, 2**32), dimensions, st.sampled_from([0.37, 0.98, 1.1, 12.7]))
def test_a_vector_whose_length_means_something_is_only_cut(
    seed: int, size: int, length: float
) -> None:
    values = gaussian(seed, 384, length)
    assert shown(Embedding(values), size).tobytes() == values[:size].tobytes()


@given(st.integers(0, 2**32), dimensions)
def test_what_is_withheld_shows_nowhere(seed: int, size: int) -> None:
    values = gaussian(seed, 384)
    other = values.copy()
    other[size:] = other[size:][::-1] * -1.0
    first, second = shown(Embedding(values), size), shown(Embedding(frozen(other)), size)
    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize("head", [0.0, -0.0, 1e-200, -1e-200])
def test_a_unit_vector_of_which_nothing_is_shown_becomes_zeros(head: float) -> None:
    values = shown(Embedding(frozen([head, head, 1.0])), 2)
    assert values.tobytes() == np.zeros(2).tobytes()


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e200])
def test_what_is_not_finite_is_refused_even_where_it_would_not_be_shown(value: float) -> None:
    with pytest.raises(UpstreamError):
        Truncate(dimensions=1).apply(Embedding(frozen([1.0, value])))

"""Laws of Hash."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.errors import UpstreamError
from extproc.mutators.hash import Hash
from extproc.prediction import Embedding, Vector
from tests.mutators.vectors import embeddings, frozen, gaussian, source


def shown(values: Vector, bits: int, question: str = "what?", **more: str) -> Vector:
    result = Hash(bits=bits).apply(Embedding(values), source(question, **more))
    assert isinstance(result, Embedding)
    return result.values


@given(embeddings, st.integers(1, 600))
def test_an_answer_is_so_many_signs_of_a_unit_vector(prediction: Embedding, bits: int) -> None:
    served = shown(prediction.values, bits)
    assert served.shape == (bits,)
    assert set(np.unique(np.abs(served))) == {1 / math.sqrt(bits)}


@given(st.integers(0, 2**32), st.floats(1e-9, 1e9))
def test_a_length_is_not_told(seed: int, scale: float) -> None:
    values = gaussian(seed, 50)
    assert shown(values, 64).tobytes() == shown(frozen(values * scale), 64).tobytes()


@pytest.mark.parametrize("bits", [256, 1024])
def test_angles_are_estimated_by_the_signs_that_differ(bits: int) -> None:
    first, other = gaussian(1, 384), gaussian(2, 384)
    other = other - first * (first @ other)
    other /= np.linalg.norm(other)
    errors = []
    for degrees in range(0, 181, 5):
        angle = math.radians(degrees)
        second = math.cos(angle) * first + math.sin(angle) * other
        differ = np.mean(shown(first, bits) * shown(frozen(second), bits) < 0)
        errors.append(differ - angle / math.pi)
    assert np.abs(errors).max() < 4 * math.sqrt(0.25 / bits)


def test_planes_are_the_tenant_s_whatever_is_asked() -> None:
    values = gaussian(1, 384)
    assert shown(values, 256).tobytes() == shown(values, 256, "b", tier="coarse").tobytes()
    agree = np.mean(shown(values, 256) == shown(values, 256, tenant="beta"))
    assert 0.3 < agree < 0.7


def test_many_vectors_use_all_signs_evenly() -> None:
    signs = np.array([shown(gaussian(seed, 100), 64) > 0 for seed in range(400)])
    assert np.abs(signs.mean(axis=0) - 0.5).max() < 5 * math.sqrt(0.25 / 400)
    related = np.abs(np.corrcoef(signs.T) - np.eye(64))
    assert related.max() < 5 / math.sqrt(400)


@pytest.mark.parametrize("values", [[], [0.0], [0.0, -0.0]])
def test_what_lies_on_every_plane_is_on_one_side(values: list[float]) -> None:
    assert (shown(frozen(values), 5) > 0).all()


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e200])
def test_what_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(UpstreamError):
        shown(frozen([1.0, value]), 4)

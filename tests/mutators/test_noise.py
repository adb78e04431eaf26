"""Laws of Noise."""

import itertools
import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.errors import UpstreamError
from extproc.mutators._norm import norm, snapped
from extproc.mutators.noise import Noise
from extproc.prediction import Embedding, Vector
from tests.mutators.vectors import distance, frozen, gaussian, source

amounts = st.floats(1e-3, 10.0)


def shown(values: Vector, amount: float, question: str = "what?", **more: str) -> Vector:
    result = Noise(norm=amount).apply(Embedding(values), source(question, **more))
    assert isinstance(result, Embedding)
    return result.values


@given(st.integers(0, 2**32), amounts, st.sampled_from([0.37, 12.7, 1e-20, 1e20]))
def test_a_vector_is_moved_by_so_many_of_its_lengths(
    seed: int, amount: float, length: float
) -> None:
    values = gaussian(seed, 100, length)
    moved = norm(shown(values, amount) - values)
    assert moved == pytest.approx(amount * snapped(length), rel=1e-9)


@given(st.integers(0, 2**32), amounts)
def test_a_unit_vector_has_length_1_again(seed: int, amount: float) -> None:
    assert norm(shown(gaussian(seed, 100), amount)) == pytest.approx(1.0, rel=1e-12)


def test_the_cosine_to_the_truth_is_what_the_norm_says() -> None:
    values = gaussian(1, 1536)
    for amount in (0.1, 0.3, 1.0):
        kept = [float(values @ shown(values, amount, f"{n}")) for n in range(20)]
        assert np.mean(kept) == pytest.approx(1 / math.sqrt(1 + amount**2), abs=0.01)


def direction(values: Vector, question: str) -> Vector:
    moved = shown(values, 0.5, question) - values
    unit: Vector = moved / np.linalg.norm(moved)
    return unit


def test_directions_are_those_of_a_gaussian() -> None:
    values = gaussian(1, 300, 2.5)  # no unit vector, else its length would be put right
    parts = [direction(values, f"{n}") * math.sqrt(300) for n in range(100)]
    entries, law = np.concatenate(parts), NormalDist()
    assert distance(entries, np.array([law.cdf(entry) for entry in entries])) < 1.95


def test_the_noise_of_one_input_says_nothing_of_another_s() -> None:
    values = gaussian(1, 300, 2.5)
    moved = [direction(values, f"{number}") for number in range(200)]
    cosines = [float(first @ second) for first, second in itertools.pairwise(moved)]
    assert abs(np.mean(cosines)) < 4 / math.sqrt(300 * len(cosines))
    others = [
        direction(gaussian(2, 300, 2.5), "a") @ direction(values, "a"),
        shown(values, 0.5, tenant="a") @ shown(values, 0.5, tenant="b") / 2.5**2 / 1.25,
    ]
    assert others[0] == pytest.approx(1.0)  # the noise is the question's, whatever the answer
    assert others[1] == pytest.approx(0.8, abs=0.1)


@pytest.mark.parametrize("values", [[], [0.0, -0.0], [1e-200]])
def test_nothing_becomes_zeros_without_a_sign(values: list[float]) -> None:
    assert shown(frozen(values), 0.1).tobytes() == np.zeros(len(values)).tobytes()


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e200])
def test_what_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(UpstreamError):
        shown(frozen([1.0, value]), 0.1)

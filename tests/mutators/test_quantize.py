"""Laws of Quantize."""

import hashlib
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from extproc.errors import UpstreamError
from extproc.mutators._norm import norm, snapped
from extproc.mutators.quantize import Quantize
from extproc.prediction import Embedding, Vector
from tests.mutators.vectors import bits, embeddings, frozen, gaussian


def shown(values: Vector, width: int) -> Vector:
    result = Quantize(bits=width).apply(Embedding(values))
    assert isinstance(result, Embedding)
    return result.values


def codes(served: Vector, width: int) -> Vector:
    """The codes an answer tells: its outermost level is there, and is 2**bits - 1."""
    levels: Vector = served / np.abs(served).max() * (2**width - 1)
    told: Vector = np.rint(levels)
    np.testing.assert_allclose(levels, told, rtol=1e-9)
    return told


def cosine(first: Vector, second: Vector) -> float:
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


@given(embeddings, bits)
def test_an_answer_is_codes_of_so_many_bits(prediction: Embedding, width: int) -> None:
    assume(norm(prediction.values) > 0)
    told = codes(shown(prediction.values, width), width)
    assert (np.abs(told) <= 2**width - 1).all()
    assert (told % 2 == 1).all()


@given(embeddings, bits, st.integers(0, 2**32))
def test_vectors_with_equal_codes_and_equal_digits_of_the_norm_get_the_same_bytes(
    prediction: Embedding, width: int, seed: int
) -> None:
    assume(norm(prediction.values) > 0)
    served = shown(prediction.values, width)
    told = codes(served, width)
    within = np.random.default_rng(seed).uniform(0.0, 0.99, told.size)
    outermost = np.abs(told) == 2**width - 1
    if width == 1:  # one component gives the scale, as all are outermost
        outermost = np.arange(told.size) == 0
    other = np.sign(told) * (np.abs(told) - np.where(outermost, 0.0, within))
    other *= snapped(norm(prediction.values)) * (1.0 + within[0] / 500) / np.linalg.norm(other)
    assert shown(frozen(other), width).tobytes() == served.tobytes()


@given(embeddings, bits)
def test_the_norm_is_told_to_two_digits(prediction: Embedding, width: int) -> None:
    length = snapped(norm(prediction.values))
    assert norm(shown(prediction.values, width)) == pytest.approx(length, rel=1e-12)


@given(embeddings, bits)
def test_a_served_vector_is_served_as_it_is(prediction: Embedding, width: int) -> None:
    once = Quantize(bits=width).apply(prediction)
    assert once is not None
    assert Quantize(bits=width).apply(once) is once


@given(embeddings, bits)
@example(Embedding(frozen(range(65335, 65536, 2))), 16)
def test_a_served_vector_survives_a_float32(prediction: Embedding, width: int) -> None:
    assume(norm(prediction.values) > 1e-30)
    once = shown(prediction.values, width)
    sent = once.astype(np.float32).astype(np.float64)
    assert shown(frozen(sent), width).tobytes() == once.tobytes()


@given(embeddings, bits)
def test_components_keep_their_order_and_never_change_sign(
    prediction: Embedding, width: int
) -> None:
    values = prediction.values
    assume(norm(values) > 0)
    served = shown(values, width)
    order = np.argsort(values, kind="stable")
    assert (np.diff(served[order]) >= 0).all()
    assert (served[values > 0] > 0).all()
    visible = values < -1e-300 * np.abs(values).max()  # below that a quotient underflows
    assert (served[visible] < 0).all()


@given(st.integers(0, 2**32), st.integers(1, 2000))
def test_one_bit_is_the_sign(seed: int, dimensions: int) -> None:
    values = gaussian(seed, dimensions)
    np.testing.assert_allclose(
        shown(values, 1), np.copysign(1.0 / math.sqrt(dimensions), values), rtol=1e-15
    )


# The mean square error of the best uniform quantiser of a unit Gaussian: Max 1960, table II, up to
# 5 bits; beyond, the same equation solved numerically.
MAX = {2: 0.1188, 3: 0.03744, 4: 0.01154, 5: 0.003495, 6: 0.001040, 7: 0.000304, 8: 0.0000877}


@pytest.mark.parametrize("width", MAX)
@pytest.mark.parametrize("dimensions", [384, 1536])
def test_gaussian_vectors_lose_no_more_than_max_says(width: int, dimensions: int) -> None:
    vectors = [gaussian(seed, dimensions) for seed in range(50)]
    lost = [1.0 - cosine(values, shown(values, width)) ** 2 for values in vectors]
    assert np.mean(lost) < MAX[width] * 1.1


@pytest.mark.parametrize(
    ("width", "least", "most"), [(8, 0.999, 1.0), (4, 0.99, 0.996), (1, 0.77, 0.83)]
)
@given(seed=st.integers(0, 2**32))
def test_the_cosine_to_the_original_is_as_documented(
    width: int, least: float, most: float, seed: int
) -> None:
    values = gaussian(seed, 1536)
    assert least < cosine(values, shown(values, width)) <= most


def test_one_bit_keeps_the_cosine_that_theory_gives_it() -> None:
    kept = [cosine(values, shown(values, 1)) for values in (gaussian(s, 1536) for s in range(50))]
    assert np.mean(kept) == pytest.approx(math.sqrt(2 / math.pi), abs=0.003)


def test_a_few_huge_components_do_not_cost_the_others_their_levels() -> None:
    values = gaussian(1, 1536).copy()
    values[[194, 954]] = 0.5, -0.6
    others = np.ones(1536, dtype=bool)
    others[[194, 954]] = False
    assert cosine(values[others], shown(frozen(values), 4)[others]) > 0.99


def test_a_sparse_vector_is_still_recognized() -> None:
    values = np.zeros(1536)
    values[7] = 1.0
    assert cosine(values, shown(frozen(values), 8)) > 0.98


@pytest.mark.parametrize("values", [[], [0.0, 0.0]])
def test_nothing_to_quantise_is_not_copied(values: list[float]) -> None:
    prediction = Embedding(frozen(values))
    assert Quantize(bits=8).apply(prediction) is prediction


@given(bits)
def test_what_underflows_becomes_zeros_without_a_sign(width: int) -> None:
    served = shown(frozen([-0.0, 1e-200, -1e-200, 0.0]), width)
    assert served.tobytes() == np.zeros(4).tobytes()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e200])
def test_what_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(UpstreamError):
        Quantize(bits=8).apply(Embedding(frozen([1.0, value])))


PROGRAM = """
from tests.mutators.test_quantize import digest
print(digest())
"""


def digest() -> str:
    served = [shown(gaussian(seed, 1536), width) for seed in range(9) for width in (1, 4, 8)]
    return hashlib.sha256(np.concatenate(served).tobytes()).hexdigest()


def test_another_process_gives_the_same_bytes() -> None:
    command = [sys.executable, "-c", PROGRAM]
    run = subprocess.run(command, capture_output=True, check=True, text=True)
    assert run.stdout.strip() == digest()

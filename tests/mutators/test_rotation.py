"""Laws of secret rotations."""

import hashlib
import itertools
import subprocess
import sys
from statistics import NormalDist
from timeit import repeat

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.draw import Draw
from extproc.mutators import _rotation
from extproc.mutators._rotation import rotation
from extproc.prediction import Vector
from tests.mutators.vectors import distance, gaussian

SECRET = Draw(b"0123456789abcdef0123456789abcdef")
SIZES = [1, 2, 3, 5, 16, 100, 384, 1536, 5000]


def turned(values: Vector, secret: Draw = SECRET) -> Vector:
    return rotation(secret, values.size).turn(values)


def matrix(size: int, secret: Draw = SECRET) -> Vector:
    """Shape (size, size): where each axis goes."""
    return np.array([turned(axis, secret) for axis in np.eye(size)])


@pytest.mark.parametrize("size", SIZES)
def test_lengths_and_angles_are_what_they_were(size: int) -> None:
    vectors = np.array([gaussian(seed, size, 1.0 + seed) for seed in range(8)])
    after = np.array([turned(values) for values in vectors])
    np.testing.assert_allclose(after @ after.T, vectors @ vectors.T, rtol=0, atol=1e-12 * 64)
    units = after / np.linalg.norm(after, axis=1, keepdims=True)
    before = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(units @ units.T, before @ before.T, rtol=0, atol=1e-12)


@given(st.integers(1, 60), st.integers(0, 2**32))
def test_a_rotation_is_linear_and_leaves_what_it_is_given(size: int, seed: int) -> None:
    first, second = gaussian(seed, size), gaussian(seed + 1, size)
    both = turned(first + 2.0 * second)
    np.testing.assert_allclose(both, turned(first) + 2.0 * turned(second), atol=1e-12)


@pytest.mark.parametrize("size", [2, 3, 8, 97, 384])
def test_a_rotation_is_orthogonal(size: int) -> None:
    rows = matrix(size)
    np.testing.assert_allclose(rows @ rows.T, np.eye(size), atol=1e-13)


@pytest.mark.parametrize("size", [128, 384])
def test_every_axis_goes_anywhere(size: int) -> None:
    """Entries of a rotation that favours nothing are normal, as far as these sizes can tell."""
    entries = (matrix(size) * np.sqrt(size)).ravel()[:20_000]
    law = NormalDist()
    assert distance(entries, np.array([law.cdf(value) for value in entries])) < 1.95


@pytest.mark.parametrize("size", [2, 3, 16, 384])
def test_secrets_rotate_each_their_own_way(size: int) -> None:
    rows = [matrix(size, SECRET.child(b"%d" % number)) for number in range(4)]
    for number, first in enumerate(rows):
        for second in rows[number + 1 :]:
            assert np.abs(first - second).max() > (1e-3 if size < 16 else 0.1)


def test_sizes_rotate_each_their_own_way() -> None:
    """Else a vector cut short would show what the rest of it does."""
    longer = turned(np.concatenate([gaussian(1, 64), np.zeros(1)]))
    assert np.abs(longer[:64] - turned(gaussian(1, 64))).max() > 0.1


def test_one_vector_in_two_spaces_is_two_vectors() -> None:
    values = gaussian(1, 384)
    there = [turned(values, SECRET.child(b"%d" % number)) for number in range(200)]
    cosines = [float(first @ second) for first, second in itertools.pairwise(there)]
    assert abs(np.mean(cosines)) < 4 / np.sqrt(384 * len(cosines))
    assert np.max(np.abs(cosines)) < 5 / np.sqrt(384)


def test_keys_that_pool_their_answers_learn_nothing_from_each_other() -> None:
    """A linear thief with 20 keys of 40 answers each, about a space of 64 dimensions."""
    rng, size = np.random.default_rng(3), 64
    truth = rng.standard_normal((size, size))
    asked = rng.standard_normal((800, size))
    answers = asked @ truth
    pooled = [turned(row, SECRET.child(b"%d" % (n // 40))) for n, row in enumerate(answers)]
    fresh = rng.standard_normal((200, size))
    alone = np.linalg.lstsq(asked, answers, rcond=None)[0]
    together = np.linalg.lstsq(asked, np.array(pooled), rcond=None)[0]
    assert agreement(fresh @ truth, fresh @ alone) > 0.999
    own = np.array([turned(row, SECRET.child(b"0")) for row in fresh @ truth])
    assert agreement(own, fresh @ together) < 0.3


def agreement(first: Vector, second: Vector) -> float:
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return float(np.mean((first * second).sum(axis=1) / lengths))


PROGRAM = """
from tests.mutators.test_rotation import fingerprint
print(fingerprint())
"""


def fingerprint() -> str:
    parts = [turned(gaussian(1, size)).tobytes() for size in (1, 3, 100, 384)]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def test_a_rotation_is_the_same_in_every_process() -> None:
    assert (
        subprocess.check_output([sys.executable, "-c", PROGRAM], text=True).strip() == fingerprint()
    )


def test_a_rotation_is_the_same_on_every_machine() -> None:
    values = np.arange(1.0, 6.0)
    assert turned(values).tolist() == [
        0.08385926271986355,
        -3.8587325127782286,
        4.695193791492567,
        1.199158722474432,
        4.07680323752906,
    ]


def test_few_rotations_are_kept_and_none_that_is_large() -> None:
    for number in range(100):
        rotation(SECRET.child(b"%d" % number), 7)
    kept = _rotation._kept.cache_info()
    assert kept.maxsize == 32
    assert kept.currsize <= 32
    rotation(SECRET, 5000)
    assert _rotation._kept.cache_info().misses == kept.misses
    assert rotation(SECRET, 384) is rotation(SECRET, 384)


def test_a_rotation_costs_a_small_part_of_a_matrix() -> None:
    """Some 120 us for 1,536 dimensions on an idle machine; a busy one slows both down."""
    values, ready = gaussian(1, 1536), rotation(SECRET, 1536)
    dense = np.ones((1536, 1536))
    turning = min(repeat(lambda: ready.turn(values), number=1, repeat=50))
    multiplying = min(repeat(lambda: (dense * values).sum(axis=1), number=1, repeat=10))
    assert turning < multiplying / 5

"""The rank of a part of a planted matrix is found from what is told of it, or from counts."""

import numpy as np
import pytest

from extproc.redteam.answers import Floats
from extproc.redteam.surrogates import sampled_space
from extproc.redteam.surrogates.output_space import Space
from extproc.redteam.surrogates.sampled_space import NOTHING, Estimate

HIDDEN, VOCABULARY = 8, 40
LAST = np.random.default_rng(0).normal(size=(VOCABULARY, HIDDEN))


def _logprobs(contexts: int, seed: int) -> Floats:
    logits = 0.7 * np.random.default_rng(seed).normal(size=(contexts, HIDDEN)) @ LAST.T
    exact: Floats = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return exact


def test_a_block_is_known_whole_and_large_enough() -> None:
    known = np.random.default_rng(3).random((30, 60)) < 0.9
    found = sampled_space.block(known, 8)
    assert found is not None
    assert known[np.ix_(*found)].all()
    assert min(map(len, found)) >= 8


def test_a_block_is_found_by_hand() -> None:
    known = np.array([[1, 1, 0, 1], [1, 1, 1, 0], [0, 0, 1, 1], [1, 1, 0, 0]], np.bool_)
    found = sampled_space.block(known, 2)
    assert found is not None
    assert sorted(found[0]) == [0, 1, 3]
    assert sorted(found[1]) == [0, 1]


def test_where_too_little_is_known_there_is_no_block() -> None:
    assert sampled_space.block(np.eye(6, dtype=np.bool_), 2) is None
    assert sampled_space.block(np.ones((3, 9), np.bool_), 4) is None


def test_two_more_than_the_hidden_size_tell_it() -> None:
    exact = _logprobs(30, 1)
    found = sampled_space.told(exact[:10, :10], 0.0)
    assert found.hidden == found.space.size == HIDDEN
    assert found.energy(_logprobs(20, 2)[:, :10]) == pytest.approx(1)
    assert found.gain(_logprobs(20, 2)[:, :10]) == pytest.approx(1)
    assert sampled_space.told(exact[:9, :9], 0.0) is NOTHING


def test_noise_is_not_taken_for_dimensions() -> None:
    noise = 0.005 / np.sqrt(3)
    assert sampled_space.told(_logprobs(30, 1).round(2), noise).hidden == HIDDEN
    assert sampled_space.told(_logprobs(30, 1), 3.0) is NOTHING


def test_rounding_shows_in_values_that_come_again() -> None:
    values = np.random.default_rng(4).uniform(-3, 0, 2_000)
    assert sampled_space.step(values) == 0
    assert sampled_space.step(values.round(2)) == pytest.approx(0.01 / np.sqrt(12), rel=1e-6)
    assert sampled_space.step(np.zeros(9)) == 0


def test_counts_show_a_part_of_the_space() -> None:
    rng = np.random.default_rng(5)
    likely = np.exp(_logprobs(40, 1))
    halves = [rng.multinomial(400, likely / likely.sum(axis=1, keepdims=True)) for _ in range(2)]
    found = sampled_space.counted(*(half.astype(np.float64) for half in halves))
    assert 1 < found.space.size < VOCABULARY - 1
    assert 0.4 < found.gain(_logprobs(30, 2)) < 1


def test_counts_without_a_space_show_none() -> None:
    rng = np.random.default_rng(6)
    halves = [rng.multinomial(400, np.full(VOCABULARY, 1 / VOCABULARY), 40) for _ in range(2)]
    found = sampled_space.counted(*(half.astype(np.float64) for half in halves))
    assert found.space.size <= 1
    assert found.gain(_logprobs(30, 2)) < 0.1


def test_a_space_at_random_gains_nothing() -> None:
    rng = np.random.default_rng(7)
    basis = np.linalg.qr(rng.normal(size=(VOCABULARY, HIDDEN)))[0]
    basis -= basis.mean(axis=0)
    common = np.r_[1.0, -1.0, np.zeros(VOCABULARY - 2)] / np.sqrt(2)
    found = Estimate(Space(HIDDEN, np.linalg.qr(basis)[0]), common)
    assert abs(found.gain(rng.normal(size=(200, VOCABULARY)))) < 0.05
    assert NOTHING.gain(_logprobs(3, 1)) == NOTHING.energy(_logprobs(3, 1)) == 0

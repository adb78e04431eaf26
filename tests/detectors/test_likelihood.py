"""Likelihood ratios: what they say of counts, and that they are e-values."""

import math

import numpy as np
import pytest

from extproc.detectors.likelihood import Evenness, Share, Shares, average


def test_the_average_of_e_values_is_no_more_than_the_largest_and_may_be_bounded() -> None:
    assert average([]) == -math.inf
    assert average([-math.inf, -math.inf]) == -math.inf
    assert average([2.0, 2.0]) == pytest.approx(2.0)
    assert average([2.0, -math.inf]) == pytest.approx(2.0 - math.log(2))
    assert average([1e9]) == pytest.approx(700.0)
    assert average([1e9, 0.0], most=3.0) == pytest.approx(math.log((math.exp(3.0) + 1.0) / 2.0))


def test_a_share_of_each_kind_speaks_for_it() -> None:
    share = Share((4.0, 2.0), (0.5, 6.0))
    assert share.ratio(9.0, 1.0) > 5.0
    assert share.ratio(1.0, 99.0) < -5.0
    assert share.ratio(0.0, 0.0) == pytest.approx(0.0)


def test_two_classes_of_a_dirichlet_distribution_are_a_beta_distribution() -> None:
    copies, uses = (4.0, 2.0), (0.5, 6.0)
    for counts in ((3.5, 1.25), (0.0, 2.0), (0.0, 0.0)):
        assert Shares(copies, uses).ratio(counts) == pytest.approx(
            Share(copies, uses).ratio(*counts)
        )


def test_the_tables_say_what_the_gamma_function_does() -> None:
    rng = np.random.default_rng(1)
    evenness = Evenness(16, (4.0, 100.0), 30.0)
    for most in (1, 4, 300, 100_000):
        row = rng.integers(0, most + 1, 16)
        counts = np.concatenate((row, rng.permutation(row))).astype(np.float32)
        for part in (counts, counts * np.float32(0.7)):
            exact = [
                2 * Shares([a / 16] * 16, [30.0 / 16] * 16).ratio(part[:16].tolist())
                for a in (4.0, 100.0)
            ]
            assert evenness.ratios(part) == pytest.approx(exact, abs=0.15, rel=2e-3)


def test_counts_beyond_the_tables_are_those_of_their_end() -> None:
    assert np.isfinite(Evenness(4, (1.0,), 8.0).ratios(np.full(4, 1e12, np.float32))).all()


def test_its_expectation_is_one_where_callers_are_what_it_takes_them_for() -> None:
    # Planted: without the term of the whole it is 30 and more.
    rng = np.random.default_rng(2)
    evenness, each = Evenness(8, (40.0,), 8.0), Shares([5.0] * 8, [1.0] * 8)
    shares = rng.dirichlet(np.ones(8), 5_000)
    counts = [rng.multinomial(12, one).astype(np.float32) for one in shares]
    for nats in (
        [evenness.ratios(row)[0] for row in counts],
        [each.ratio(row.tolist()) for row in counts],
    ):
        e_values = np.exp(nats)
        assert abs(e_values.mean() - 1.0) < 4 * e_values.std() / math.sqrt(len(e_values))


def test_of_a_share_it_is_one_too() -> None:
    rng = np.random.default_rng(3)
    share = Share((4.0, 2.0), (0.5, 6.0))
    hits = rng.binomial(9, rng.beta(0.5, 6.0, 20_000))
    e_values = np.exp([share.ratio(float(each), 9.0 - each) for each in hits])
    assert abs(e_values.mean() - 1.0) < 4 * e_values.std() / math.sqrt(len(e_values))

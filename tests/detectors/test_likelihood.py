"""Likelihood ratios: what they say of counts, and that they are e-values."""

import math
from collections.abc import Sequence
from math import lgamma

import numpy as np
import pytest

from extproc.detectors import likelihood
from extproc.detectors.likelihood import Dirichlet, Evenness, Ratios, average, places


def _exact(copies: Sequence[float], uses: Sequence[float], counts: Sequence[float]) -> float:
    """The ratio of the Dirichlet-multinomial law of two priors, term for term."""
    nats = 0.0
    for sign, prior in ((1, copies), (-1, uses)):
        nats += sign * (lgamma(sum(prior)) - lgamma(sum(prior) + math.fsum(counts)))
        nats += sign * math.fsum(
            lgamma(a + count) - lgamma(a) for a, count in zip(prior, counts, strict=True)
        )
    return nats


def _share(copies: tuple[float, float], uses: tuple[float, float]) -> Ratios:
    return Ratios(2, [Dirichlet(places(0, 2), copies, uses)])


def test_the_gamma_function_is_that_of_the_library() -> None:
    x = np.concatenate((np.geomspace(1e-6, 1e7, 2_000), np.linspace(0.001, 8.0, 2_000)))
    exact = np.array([lgamma(each) for each in x])
    np.testing.assert_allclose(likelihood.lgamma(x), exact, rtol=1e-12, atol=3e-7)


def test_the_average_of_e_values_is_no_more_than_the_largest() -> None:
    nats = np.array([[-math.inf, -math.inf], [2.0, 2.0], [2.0, -math.inf], [1e9, 1e9]])
    expected = [-math.inf, 2.0, 2.0 - math.log(2), 1e9]
    assert average(nats) == pytest.approx(np.array(expected))


def test_a_share_of_each_kind_speaks_for_it() -> None:
    share = _share((4.0, 2.0), (0.5, 6.0))
    assert share.of(np.array([9.0, 1.0])) > 5.0
    assert share.of(np.array([1.0, 99.0])) < -5.0
    assert share.of(np.zeros(2)) == pytest.approx(0.0)


def test_ratios_are_those_of_the_laws_term_for_term_of_any_sums_of_counters() -> None:
    rng = np.random.default_rng(4)
    shares, classes = ((0.7, 0.7), (0.02, 0.48)), ((1.0, 2.0, 0.5), (0.1, 0.1, 5.8))
    rest = [{0: 1.0}, {3: 1.0, 0: -1.0}]
    both = Ratios(4, [Dirichlet(rest, *shares), Dirichlet(places(1, 4), *classes)])
    for most in (1, 30, 100_000):
        counters = rng.uniform(0, most, (20, 4)) * rng.integers(0, 2, (20, 4))
        counters[:, 3] += counters[:, 0]
        exact = [
            [_exact(*shares, (row[0], row[3] - row[0])), _exact(*classes, row[1:])]
            for row in counters.tolist()
        ]
        np.testing.assert_allclose(both.of(counters), exact, rtol=1e-9, atol=1e-5)


def test_what_fractions_leave_less_than_nothing_of_is_nothing() -> None:
    rest = Ratios(2, [Dirichlet([{0: 1.0}, {1: 1.0, 0: -1.0}], (0.7, 0.7), (0.02, 0.48))])
    assert rest.of(np.array([3.0, 2.9999])) == pytest.approx(rest.of(np.full(2, 3.0)), abs=1e-3)


def test_the_tables_say_what_the_gamma_function_does() -> None:
    rng = np.random.default_rng(1)
    evenness = Evenness(16, (4.0, 100.0), 30.0)
    for most in (1, 4, 300, 100_000):
        row = rng.integers(0, most + 1, 16)
        counts = np.concatenate((row, rng.permutation(row))).astype(np.float32)
        for part in (counts, counts * np.float32(0.7)):
            exact = [
                2 * _exact([a / 16] * 16, [30.0 / 16] * 16, part[:16].tolist())
                for a in (4.0, 100.0)
            ]
            assert evenness.ratios(part) == pytest.approx(exact, abs=0.15, rel=2e-3)


def test_counts_beyond_the_tables_are_those_of_their_end() -> None:
    assert np.isfinite(Evenness(4, (1.0,), 8.0).ratios(np.full(4, 1e12, np.float32))).all()


def test_its_expectation_is_one_where_callers_are_what_it_takes_them_for() -> None:
    # Planted: without the term of the whole it is 30 and more.
    rng = np.random.default_rng(2)
    evenness = Evenness(8, (40.0,), 8.0)
    each = Ratios(8, [Dirichlet(places(0, 8), [5.0] * 8, [1.0] * 8)])
    shares = rng.dirichlet(np.ones(8), 5_000)
    counts = np.array([rng.multinomial(12, one) for one in shares], np.float32)
    for nats in (evenness.ratios(counts), each.of(counts)):
        e_values = np.exp(nats)
        assert abs(e_values.mean() - 1.0) < 4 * e_values.std() / math.sqrt(len(e_values))


def test_of_a_share_it_is_one_too() -> None:
    rng = np.random.default_rng(3)
    share = _share((4.0, 2.0), (0.5, 6.0))
    hits = rng.binomial(9, rng.beta(0.5, 6.0, 20_000))
    e_values = np.exp(share.of(np.stack((hits, 9.0 - hits), axis=1)))
    assert abs(e_values.mean() - 1.0) < 4 * e_values.std() / math.sqrt(len(e_values))

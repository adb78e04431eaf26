"""Exact tails against SciPy where that is right, and the level that nobody is accused above."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from extproc.marks.statistics import (
    Tail,
    binomial,
    clopper_pearson,
    difference,
    holm,
    two_sample,
)

CLEAN = 1000
counts = st.integers(0, 400)


def uniformity(p_values: list[float]) -> float:
    """Kolmogorov and Smirnov's p-value of their being uniform."""
    return float(stats.kstest(p_values, "uniform").pvalue)


@given(counts, counts, st.floats(1e-6, 1 - 1e-6))
def test_a_binomial_tail_is_scipys(agreeing: int, more: int, rate: float) -> None:
    trials = agreeing + more
    expected = stats.binom.logsf(agreeing - 1, trials, rate) / math.log(2)
    if expected > -900:
        assert binomial(agreeing, trials, rate).at_least == pytest.approx(expected, abs=1e-7)


@given(counts, counts, counts, counts)
def test_two_samples_are_compared_as_fisher_did(a: int, b: int, c: int, d: int) -> None:
    expected = stats.fisher_exact([[a, b], [c, d]], alternative="greater").pvalue
    found = two_sample((a, a + b), (c, c + d))
    if expected > 1e-280:
        assert found.at_least == pytest.approx(math.log2(expected), abs=1e-6)
    assert found.more <= found.at_least <= 0


def test_a_table_is_worked_out_by_hand() -> None:
    """Fisher's lady: all four cups told apart from four others is 1 of 70; three is 17 of 70."""
    assert two_sample((4, 4), (0, 4)).p == pytest.approx(1 / 70)
    assert two_sample((3, 4), (1, 4)).p == pytest.approx(17 / 70)
    assert two_sample((3, 4), (1, 4)).mid == pytest.approx((17 / 70 + 1 / 70) / 2)


def test_logs_go_far_below_what_floats_hold() -> None:
    """2**-1,000 is near the end of float64; the log of a single choice is known exactly."""
    assert binomial(100_000, 100_000, 0.25).at_least == pytest.approx(-200_000)
    everything = two_sample((5000, 5000), (0, 5000)).at_least
    assert everything == pytest.approx(-math.log2(math.comb(10_000, 5000)), abs=1e-6)
    assert everything < -9_000
    assert Tail(-5000.0, -math.inf).p == 0.0


@pytest.mark.parametrize(("rate", "agreeing", "bits"), [(0.0, 0, 0), (0.0, 1, -1), (1.0, 5, 0)])
def test_a_rate_that_is_certain_leaves_no_chance(rate: float, agreeing: int, bits: int) -> None:
    assert binomial(agreeing, 5, rate).at_least == (0 if bits == 0 else -math.inf)
    assert binomial(5, 5, rate).more == -math.inf


@pytest.mark.parametrize(("agreeing", "trials", "rate"), [(2, 1, 0.5), (-1, 1, 0.5), (0, 1, 1.5)])
def test_counts_that_cannot_be_are_refused(agreeing: int, trials: int, rate: float) -> None:
    with pytest.raises(ValueError, match="agreements"):
        binomial(agreeing, trials, rate)


def test_samples_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="asked"):
        two_sample((2, 1), (0, 1))


@pytest.mark.parametrize("rate", [0.01, 0.2, 0.5])
@pytest.mark.parametrize("level", [0.001, 0.01, 0.05])
def test_no_level_is_exceeded_whatever_the_clean_rate(rate: float, level: float) -> None:
    """Summed over all outcomes there can be, so that no chance is in it.

    Planted: a binomial against the rate of the controls, as if that were known, fails here.
    """
    marks, controls = 20, 80
    share_of = stats.binom.pmf(np.arange(marks + 1), marks, rate)
    share_of_controls = stats.binom.pmf(np.arange(controls + 1), controls, rate)
    accused = sum(
        share_of[a] * share_of_controls[c]
        for a, c in product(range(marks + 1), range(controls + 1))
        if two_sample((a, marks), (c, controls)).p <= level
    )
    assert accused <= level


def test_the_p_values_of_clean_models_are_uniform() -> None:
    """1,000 models, of which each says what it says of inputs that differ, and the key divides
    those at random; the exact p-value is hardly ever below what is uniform.
    """
    generator = np.random.default_rng(7)
    randomised, exact = [], []
    for _ in range(CLEAN):
        agrees = generator.random(150) < generator.beta(0.5, 4, 150)
        marks = generator.permutation(150) < 30
        tail = two_sample((int(agrees[marks].sum()), 30), (int(agrees[~marks].sum()), 120))
        randomised.append(tail.randomised(generator.random()))
        exact.append(tail.p)
    assert uniformity(randomised) > 0.01
    for level in (0.001, 0.01, 0.05, 0.2, 0.5):
        assert np.mean(np.array(exact) <= level) <= stats.binom.ppf(0.999, CLEAN, level) / CLEAN


@pytest.mark.parametrize("trials", [1, 7, 200])
def test_an_interval_is_clopper_and_pearsons(trials: int) -> None:
    for agreeing in {0, 1, trials // 3, trials}:
        found = clopper_pearson(agreeing, trials, 0.99)
        expected = stats.binomtest(agreeing, trials).proportion_ci(0.99)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_of_nothing_nothing_is_known() -> None:
    assert (clopper_pearson(0, 0).low, clopper_pearson(0, 0).high) == (0.0, 1.0)


def test_a_difference_is_of_both_limits() -> None:
    found = difference((19, 20), (2, 80))
    marks, controls = clopper_pearson(19, 20, 0.975), clopper_pearson(2, 80, 0.975)
    assert found.low == marks.low - controls.high > 0.5
    assert found.high == marks.high - controls.low


def test_holms_correction_is_worked_out_by_hand() -> None:
    bits = [math.log2(p) for p in (0.01, 0.04, 0.03, 0.9)]
    assert [2**each for each in holm(bits)] == pytest.approx([0.04, 0.09, 0.09, 0.9])
    assert holm([]) == []
    assert holm([0.0, 0.0]) == [0.0, 0.0]


def test_among_many_clean_models_hardly_one_is_accused() -> None:
    """Planted: without the correction, nearly every hundred tenants have one below 1 %."""
    generator = np.random.default_rng(3)
    accused = [
        min(holm(np.log2(generator.random(100)).tolist())) <= math.log2(0.01) for _ in range(1000)
    ]
    assert np.mean(accused) <= 0.02

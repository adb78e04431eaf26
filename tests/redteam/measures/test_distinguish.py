"""What tells two samples apart, by hand and by luck."""

import numpy as np
import pytest

from extproc.redteam.measures.distinguish import (
    auc,
    auc_interval,
    information,
    kolmogorov,
    told_apart,
    told_apart_by_means,
    true_positives,
)

ONE, OTHER = np.array([1.0, 3.0]), np.array([2.0, 4.0])


def test_the_distance_is_the_largest_between_the_two_distributions() -> None:
    # Below 2.5 lie one of two and three of four.
    assert kolmogorov(ONE, np.array([0.0, 1.0, 2.0, 4.0]))[0] == pytest.approx(0.25)
    assert kolmogorov(np.arange(5.0), np.arange(5.0) + 9)[0] == 1
    assert kolmogorov(ONE, ONE)[0] == 0
    assert kolmogorov(ONE, ONE)[1] == pytest.approx(1)


def test_the_area_counts_who_is_above_whom_and_ties_by_half() -> None:
    assert auc(ONE, OTHER) == 0.75
    assert auc(OTHER, ONE) == 0.25
    assert auc(np.ones(3), np.ones(5)) == 0.5
    assert auc(np.array([1.0, 2.0]), np.array([2.0, 2.0, 3.0])) == pytest.approx(5 / 6)


def test_the_interval_is_that_of_hanley_and_mcneil() -> None:
    # (0.1875 + 0.6 - 0.5625 + 0.642857 - 0.5625) / 4 = 0.076339, whose root is 0.276296.
    low, high = auc_interval(0.75, 2, 2)
    assert low == pytest.approx(0.75 - 1.959964 * 0.276296, abs=1e-5)
    assert high == 1
    # Of two and five: (0.1875 + 4 * 0.0375 + 0.080357) / 10 = 0.0417857, whose root is 0.204416.
    assert auc_interval(0.75, 2, 5)[0] == pytest.approx(0.75 - 1.959964 * 0.204416, abs=1e-5)


def test_an_interval_holds_the_true_area_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        one, other = rng.normal(0, 1, 80), rng.normal(1, 1, 80)
        low, high = auc_interval(auc(one, other), 80, 80)
        held += low < 0.7602 < high  # the normal distribution's at 1 / sqrt(2)
    assert 0.92 < held / 400 < 0.98


def test_true_positives_are_counted_above_what_few_of_the_others_reach() -> None:
    others = np.arange(100.0)
    assert true_positives(others, np.array([200.0, 98.5, 1.0]), 0.01) == pytest.approx(2 / 3)
    assert true_positives(others, np.array([200.0, 98.5, 1.0]), 0) == pytest.approx(1 / 3)
    assert true_positives(np.ones(50), np.ones(50), 0.01) == 0


def test_a_difference_is_told_whichever_side_is_higher() -> None:
    low, high = np.arange(100.0), np.arange(100.0) + 200
    assert told_apart(low, high) == told_apart(high, low) == 1


def test_a_mean_of_fifty_tells_what_one_answer_hides() -> None:
    rng = np.random.default_rng(3)
    one, other = rng.normal(0, 1, 400), rng.normal(0.5, 1, 400)
    assert 0.6 < told_apart(one, other) < 0.7
    assert told_apart_by_means(one, other, rng) > 0.97


def test_where_nothing_differs_seeds_average_to_not_knowing() -> None:
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        one, other = rng.exponential(1, 250), rng.exponential(1, 250)
        bits = information(one, other, rng)[0]
        found.append((told_apart(one, other), told_apart_by_means(one, other, rng), bits))
    one_answer, means, bits = np.mean(found, axis=0)
    assert one_answer == pytest.approx(0.5, abs=0.01)
    assert means == pytest.approx(0.5, abs=0.07)
    assert bits == pytest.approx(0, abs=0.003)


def test_what_is_always_the_same_tells_nothing() -> None:
    rng = np.random.default_rng(1)
    same = np.full(100, 1024.0)
    assert told_apart(same, same) == told_apart_by_means(same, same, rng) == 0.5
    assert information(same, same, rng) == (0, 1)


def test_what_tells_all_is_one_bit() -> None:
    bits, chance = information(np.zeros(200), np.ones(200), np.random.default_rng(1))
    assert 0.99 < bits <= 1
    assert chance == pytest.approx(1 / 101)


def test_half_of_a_sample_that_differs_tells_what_arithmetic_says() -> None:
    # Half of the second is 1: H(1/4) - H(1/2) / 2 = 0.8113 - 0.5.
    other = np.repeat([0.0, 1.0], 1_000)
    bits, _ = information(np.zeros(2_000), other, np.random.default_rng(1))
    assert bits == pytest.approx(0.3113, abs=0.002)


def test_exact_times_are_compared_in_bins() -> None:
    rng = np.random.default_rng(4)
    bits, chance = information(rng.random(500), rng.random(500) + 0.5, rng)
    assert 0.4 < bits < 0.6
    assert chance == pytest.approx(1 / 101)

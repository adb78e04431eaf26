from math import inf

import pytest

from extproc.redteam.measures.interval import Interval, at_most, of_mean, of_ratio, of_share


def test_the_mean_of_five_has_students_interval_by_hand() -> None:
    # Mean 3, variance 10/4, t of 4 degrees at 0.975 is 2.776445: 2.776445 * sqrt(2.5 / 5).
    found = of_mean([1, 2, 3, 4, 5])
    assert found.value == 3
    assert found.high - 3 == pytest.approx(2.776445 * 0.5**0.5, abs=1e-5)
    assert 3 - found.low == pytest.approx(found.high - 3)
    assert found.enough


def test_two_measurements_are_few_and_one_has_no_ends() -> None:
    assert of_mean([1, 3]).high == pytest.approx(2 + 12.7062, abs=1e-3)
    assert not of_mean([1, 3]).enough
    assert of_mean([1.5]) == Interval(1.5, -inf, inf, 1)


def test_there_is_no_mean_and_no_share_of_nothing() -> None:
    with pytest.raises(ValueError, match="no measurements"):
        of_mean([])
    with pytest.raises(ValueError, match="no tries"):
        of_share(0, 0)


def ends(found: Interval) -> list[float]:
    return [found.value, found.low, found.high]


def test_no_hit_in_n_has_the_exact_upper_end() -> None:
    # Clopper and Pearson: (1 - p)^n = 0.025.
    assert ends(of_share(0, 10)) == pytest.approx([0, 0, 1 - 0.025**0.1])
    assert ends(of_share(10, 10)) == pytest.approx([1, 0.025**0.1, 1])


def test_an_upper_limit_alone_is_nearer_than_the_end_of_an_interval() -> None:
    # Clopper and Pearson: (1 - p)^n = 0.05.
    assert at_most(0, 60) == pytest.approx(1 - 0.05 ** (1 / 60))
    assert at_most(1, 60) == pytest.approx(0.0766, abs=1e-4)  # scipy.stats.beta.ppf(0.95, 2, 59)
    assert at_most(60, 60) == 1
    assert at_most(0, 60) < of_share(0, 60).high


def test_five_in_ten_has_the_interval_of_tables() -> None:
    assert ends(of_share(5, 10)) == pytest.approx([0.5, 0.1871, 0.8129], abs=1e-4)


def test_a_ratio_is_of_pairs_and_what_they_share_drops_out() -> None:
    assert ends(of_ratio([2, 20, 200], [1, 10, 100])) == pytest.approx([2, 2, 2])
    assert ends(of_ratio([4], [1])) == pytest.approx([4, 0, inf])
    # Logarithms 0 and 2 log 2: the mean is log 2.
    assert of_ratio([1, 4], [1, 1]).value == pytest.approx(2)


def test_an_interval_can_be_cut_to_what_can_be() -> None:
    assert Interval(0.9, 0.7, 1.1, 5).within(0, 1) == Interval(0.9, 0.7, 1, 5)

"""The p-value holds its level for every weighting of coins, and exactly where it can."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from extproc.marks.sign_test import WORST, bits, deviation

weights = hnp.arrays(np.float64, st.integers(1, 10), elements=st.integers(0, 9).map(float))


def thrown(evidence: np.ndarray) -> list[float]:
    """Deviations for every way in which the coins may fall."""
    falls = product([-1.0, 1.0], repeat=evidence.size)
    return [deviation(np.array(signs), evidence) for signs in falls]


@given(weights)
def test_it_is_never_below_how_often_chance_does_as_well(evidence: np.ndarray) -> None:
    """All falls of the coins are tried.  Planted: without the factor it fails."""
    if not evidence.any():
        return
    found = np.array(thrown(evidence))
    for each in set(found.round(9)):
        assert np.mean(found >= each - 1e-9) <= 2 ** bits(each - 1e-9) * (1 + 1e-6)


def test_no_smaller_factor_would_do() -> None:
    """Of two coins of one weight both fall right in a quarter of all cases."""
    assert 2 ** bits(math.sqrt(2)) == pytest.approx(0.25, rel=1e-5)
    assert 2 ** bits(math.sqrt(2)) >= 0.25


def test_of_many_coins_it_is_a_normal_number() -> None:
    rng = np.random.default_rng(0)
    evidence = rng.normal(size=500)
    found = [deviation(rng.choice([-1.0, 1.0], 500), evidence) for _ in range(4000)]
    assert abs(np.mean(found)) < 4 / math.sqrt(4000)
    assert np.std(found) == pytest.approx(1, abs=0.05)


def test_nothing_is_told_by_nothing() -> None:
    assert deviation(np.ones(3), np.zeros(3)) == 0.0
    assert bits(0.0) == bits(-3.0) == 0.0


def test_it_has_numbers_for_what_no_float_holds() -> None:
    """Beyond 30 deviations Mills' ratio bounds it, which is too much by 1/x**2 of it."""
    assert 2 ** bits(5.0) == pytest.approx(WORST * 2.866515719e-7, rel=1e-6)
    before, after = bits(math.nextafter(30.0, 0.0)), bits(30.0)
    assert 0 < after - before < 2 / 900
    assert bits(100.0) == pytest.approx(-7219.6, abs=0.5)

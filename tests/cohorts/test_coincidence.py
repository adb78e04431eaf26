import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from extproc.cohorts.coincidence import chance, excess

FEW = st.floats(0.001, 50.0)


def test_no_more_in_common_than_expected_says_nothing() -> None:
    assert excess(np.array([0.0, 3.0, 5.0]), np.array([0.0, 3.0, 9.0])).tolist() == [0, 0, 0]


@given(FEW)
def test_under_chance_it_seldom_says_much(expected: float) -> None:
    drawn = np.random.default_rng(1).poisson(expected, 20_000).astype(np.float64)
    told = excess(drawn, np.full(20_000, expected))
    for nats in (2.0, 4.0):
        assert (told > nats).mean() <= np.exp(-nats), "the bound of Chernoff"


@given(FEW, st.integers(1, 30))
def test_more_in_common_says_more(expected: float, common: int) -> None:
    one, other = excess(np.array([common, common + 1.0]), np.array([expected, expected]))
    assert other >= one


def test_chance_is_in_proportion_to_how_many_the_other_has() -> None:
    had = np.array([[0.1, 0.2], [0.1, 0.0]])
    assert np.allclose(chance(had, np.array([10.0, 40.0]), 20.0), [0.15, 0.2])

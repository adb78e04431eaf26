from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.limits.exhaustion import DEARER, PER_SECOND, Challenge

ASKED = Challenge(least=PER_SECOND // 4, most=5 * PER_SECOND, bits=64)
bits = st.integers(0, 10**12)
doubts = st.floats(0, 1)
challenges = st.builds(
    lambda least, more, count: Challenge(least, least + more, count),
    st.integers(1, 10**8),
    st.integers(0, 10**8),
    st.integers(1, 10**9),
)


@given(challenges, bits, bits, doubts, doubts)
def test_work_rises_with_what_is_asked_and_with_suspicion(
    asked: Challenge, few: int, many: int, calm: float, alarmed: float
) -> None:
    few, many = sorted((few, many))
    calm, alarmed = sorted((calm, alarmed))
    assert asked.work(few, calm) <= asked.work(many, calm) <= asked.work(many, alarmed)
    assert asked.work(few, calm) <= asked.work(few, alarmed) <= asked.work(many, alarmed)


@given(challenges, bits, st.floats(allow_nan=False))
def test_work_is_never_below_the_least_nor_above_the_most(
    asked: Challenge, some: int, doubt: float
) -> None:
    assert asked.least <= asked.work(some, doubt) <= asked.most


@given(challenges, bits, doubts)
def test_work_is_told_in_steps_of_two(asked: Challenge, some: int, doubt: float) -> None:
    """So that its size is no reading of how far a caller is suspected."""
    work = asked.work(some, doubt)
    steps = [asked.least << step for step in range(64)]
    assert work in {asked.most, *steps}


def test_twice_the_bits_cost_twice_the_work() -> None:
    work = [ASKED.work(64 << step) for step in range(5)]
    assert [after / before for before, after in pairwise(work)] == [2.0] * 4
    assert ASKED.work(0) == ASKED.work(64) == ASKED.least


@pytest.mark.parametrize(("doubt", "times"), [(0.0, 1), (0.1, 2), (0.5, 16), (1.0, 128)])
def test_whoever_is_suspected_pays_up_to_a_hundredfold_rounded_up(doubt: float, times: int) -> None:
    asked = Challenge(least=1000, most=10**9, bits=64)
    assert asked.work(64, doubt) == 1000 * times
    assert DEARER <= 128


def test_a_customer_within_its_bits_pays_for_twice_as_much_at_most() -> None:
    """The paper's bound on the price of honesty."""
    asked = Challenge(least=1000, most=10**9, bits=64)
    for some in range(1, 5000):
        assert asked.work(some) < 2 * 1000 * max(1.0, some / 64)

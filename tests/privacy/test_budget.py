"""Laws of budgets: promises and what has been spent of them, always to the safe side."""

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.privacy.budget import (
    DRAWN,
    LARGEST,
    capacity,
    delta_of,
    epsilon_of,
    pure_capacity,
    sigma_of,
)
from extproc.privacy.cost import FREE, LEAST, NANO, Cost, gaussian_cost
from extproc.privacy.noise import exact, normal
from tests.privacy.laws import DIGITS, exponential, within

mus = st.floats(1e-3, 8.0)
epsilons = st.floats(0.01, 12.0)
deltas = st.floats(-10.0, -1.0).map(lambda power: 10.0**power)


def exactly(mu: Fraction, epsilon: Fraction) -> Decimal:
    """The closed form, to sixty digits."""

    def tail(at: Fraction) -> Decimal:
        return Decimal("0.5") - (within(at) if at >= 0 else -within(-at))

    with localcontext(DIGITS):
        far = exponential(epsilon) * tail(epsilon / mu + mu / 2)
        return tail(epsilon / mu - mu / 2) - far


@pytest.mark.parametrize(
    ("mu", "epsilon"),
    [
        (mu, epsilon)
        for mu in (0.05, 0.4, 1.0, 3.0, 7.0)
        for epsilon in (0.0, 0.01, 0.5, 2.0, 5.0, 11.0)
        if epsilon / mu < 14.0  # else it is below what sixty digits tell
    ],
)
def test_a_delta_is_the_closed_form_s_and_at_most_a_billionth_more(
    mu: float, epsilon: float
) -> None:
    wanted = exactly(exact(mu), exact(epsilon))
    told = Decimal(delta_of(mu, epsilon))
    assert wanted <= told <= wanted * (1 + Decimal("3e-9")) + Decimal("1e-55")


@given(mus, mus, epsilons, epsilons)
def test_a_delta_rises_with_mu_and_falls_with_epsilon(
    mu: float, more: float, epsilon: float, further: float
) -> None:
    low, high = sorted((mu, more))
    near, far = sorted((epsilon, further))
    least, most = delta_of(low, far), delta_of(high, near)
    assert 0.0 <= least <= most * (1 + 1e-8) + 1e-300
    assert most <= 1.0


def test_without_a_mu_nothing_is_told() -> None:
    assert delta_of(0.0, 0.0) == 0.0
    assert delta_of(1e-3, 30.0) == 0.0


@given(epsilons, deltas)
def test_what_fills_a_budget_keeps_its_promise_and_hardly_more_would(
    epsilon: float, delta: float
) -> None:
    room = capacity(epsilon, delta)
    mu = math.sqrt(room / NANO)
    assert delta_of(mu, epsilon) + (1 + math.exp(epsilon)) * DRAWN <= delta
    more = mu * (1 + 1e-6) + 1e-6
    assert more > 8.0 or delta_of(more, epsilon) + (1 + math.exp(epsilon)) * DRAWN > delta


@given(epsilons, deltas)
def test_what_was_spent_of_a_full_budget_amounts_to_its_epsilon(
    epsilon: float, delta: float
) -> None:
    room = capacity(epsilon, delta)
    if room < 64 * NANO * 0.99:  # else delta is so large that there was room for more
        assert epsilon_of(Cost(room), delta) == pytest.approx(epsilon, abs=2e-4)
        assert epsilon_of(Cost(room + LEAST * 10), delta) > epsilon_of(Cost(room), delta)


@given(st.integers(0, 10**11), st.integers(0, 10**11), deltas)
def test_who_spent_more_has_less_privacy(one: int, other: int, delta: float) -> None:
    less, more = sorted((one, other))
    assert epsilon_of(Cost(less), delta) <= epsilon_of(Cost(more), delta)


def test_nothing_spent_is_no_epsilon() -> None:
    assert epsilon_of(FREE, 1e-6) == 0.0
    assert epsilon_of(FREE, 0.0) == 0.0
    assert epsilon_of(Cost(LEAST), 0.1) == 0.0  # delta pays for it


def test_pure_answers_amount_to_the_better_of_two_accounts() -> None:
    assert epsilon_of(Cost(5 * NANO, 2 * NANO), 1e-6) == 2.0
    assert epsilon_of(Cost(5 * NANO, 2 * NANO), 0.0) == 2.0
    assert epsilon_of(Cost(NANO // 100, 2 * NANO), 1e-6) < 0.5
    assert epsilon_of(Cost(NANO), 0.0) == math.inf


def test_beyond_what_is_worth_a_promise_there_is_none() -> None:
    assert epsilon_of(Cost(65 * NANO), 1e-6) == math.inf
    assert epsilon_of(Cost(30 * NANO), 1e-9) == math.inf
    assert epsilon_of(Cost(NANO), 1e-9) < LARGEST


@pytest.mark.parametrize(
    ("epsilon", "delta"),
    [(0.0, 1e-6), (-1.0, 1e-6), (33.0, 1e-6), (1.0, 0.0), (1.0, 1e-16), (1.0, 1.0), (30.0, 1e-9)],
)
def test_there_is_no_such_promise(epsilon: float, delta: float) -> None:
    with pytest.raises(ValueError, match=r"epsilon is above 0|delta is below 1"):
        capacity(epsilon, delta)


def test_the_room_of_a_pure_promise_is_its_epsilon() -> None:
    assert pure_capacity(2.0) == 2 * NANO
    assert pure_capacity(1 / 3) == 333_333_333
    for epsilon in (0.0, 33.0, math.nan):
        with pytest.raises(ValueError, match="epsilon is above 0"):
            pure_capacity(epsilon)


@pytest.mark.parametrize(("epsilon", "delta"), [(1.0, 1e-5), (4.0, 1e-6), (0.1, 1e-9)])
def test_the_noise_of_one_answer_fills_the_promise(epsilon: float, delta: float) -> None:
    cost = gaussian_cost(Fraction(4), Fraction(sigma_of(epsilon, delta, 2.0)))
    room = capacity(epsilon, delta)
    assert 0.999999 * room < cost.gdp <= room


def test_all_that_a_budget_pays_for_was_drawn_as_exactly_as_is_told() -> None:
    """The widest table, the most numbers of an answer, the most answers of a budget."""
    answers = 64 * NANO // LEAST
    assert normal(Fraction(1000)).distance * 2**16 * answers < DRAWN

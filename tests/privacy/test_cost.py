"""Laws of costs, held against what a reference accountant tells of the same answers.

The reference: Google's dp-accounting, privacy loss distributions (Koskela, Jälkö and Honkela,
AISTATS 2020), whose estimates are upper bounds.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from dp_accounting.pld import privacy_loss_distribution as pld
from hypothesis import given
from hypothesis import strategies as st

from extproc.privacy.budget import epsilon_of
from extproc.privacy.choice import exponential, truthful
from extproc.privacy.cost import FREE, LEAST, Cost, gaussian_cost, mu_of_pure, pure_cost
from extproc.privacy.noise import exact, laplace

GRID = 1e-4
costs = st.builds(Cost, st.integers(0, 10**12), st.none() | st.integers(0, 10**12))


@given(costs, costs, costs)
def test_costs_add(one: Cost, two: Cost, three: Cost) -> None:
    assert one + two == two + one
    assert (one + two) + three == one + (two + three)
    assert one + FREE == one
    assert one.times(3) == one + one + one
    assert one.times(0).gdp == 0


def test_what_is_not_pure_makes_nothing_pure() -> None:
    assert (Cost(1, 2) + Cost(3, None)) == Cost(4, None)
    assert Cost(1, None).times(2) == Cost(2, None)


def test_costs_are_rounded_up_and_never_nothing() -> None:
    assert gaussian_cost(Fraction(2), exact(40.0)) == Cost(1_250_000)
    assert gaussian_cost(Fraction(1), Fraction(3)) == Cost(111_111_112)
    assert gaussian_cost(Fraction(1), Fraction(10**9)) == Cost(LEAST)
    assert pure_cost(Fraction(1, 3)).epsilon == 333_333_334
    assert pure_cost(Fraction(1, 10**9)) == Cost(LEAST, 1)


@pytest.mark.parametrize("epsilon", [1e-3, 0.1, 1.0, 5.0, 20.0])
def test_two_outcomes_are_as_far_apart_as_two_normal_laws(epsilon: float) -> None:
    """Told apart as well, at their only corner."""
    mu = mu_of_pure(epsilon)
    seen = math.erfc(-mu / 2 / math.sqrt(2)) / 2
    assert math.log(seen / (1 - seen)) == pytest.approx(epsilon, rel=1e-9)


def reference(sensitivity: float, sigma: float, *, above: bool) -> Any:
    """Of normal noise: the reference's upper bound, or its lower one."""
    return pld.from_gaussian_mechanism(
        sigma / sensitivity,
        pessimistic_estimate=above,
        value_discretization_interval=GRID,
        use_connect_dots=above,
    )


@pytest.mark.parametrize(("sigma", "count"), [(40.0, 1), (40.0, 1000), (5.0, 10)])
def test_normal_answers_compose_as_the_reference_says(sigma: float, count: int) -> None:
    """Of votes: within a hundredth, and never below what is certain."""
    spent = gaussian_cost(Fraction(2), exact(sigma)).times(count)
    above, below = (
        reference(math.sqrt(2), sigma, above=side).self_compose(count) for side in (True, False)
    )
    for delta in (1e-5, 1e-8):
        epsilon = epsilon_of(spent, delta)
        assert epsilon == pytest.approx(above.get_epsilon_for_delta(delta), rel=0.01)
        assert epsilon >= below.get_epsilon_for_delta(delta)


def test_a_check_and_an_answer_compose_as_the_reference_says() -> None:
    both = gaussian_cost(Fraction(2), exact(40.0)) + gaussian_cost(Fraction(1), exact(30.0))
    epsilon = epsilon_of(both.times(100), 1e-6)
    for side in (True, False):
        check = reference(1.0, 30.0, above=side)
        told = reference(math.sqrt(2), 40.0, above=side).compose(check).self_compose(100)
        wanted = told.get_epsilon_for_delta(1e-6)
        assert epsilon == pytest.approx(wanted, rel=0.01)
        assert side or epsilon >= wanted


def response(epsilon: float) -> list[list[float]]:
    """Randomised response, of two classes, about the one and about the other."""
    truth = truthful(exact(epsilon), 2) / 2**128
    return [[truth, 1 - truth], [1 - truth, truth]]


def choice(epsilon: float, behind: int = 0) -> list[list[float]]:
    """The exponential mechanism, where a vote moves from one class to another so far behind."""
    votes = [[200, 200 - behind], [199, 201 - behind]]
    weights = [exponential(2 / exact(epsilon)).weights(np.array(each)) for each in votes]
    return [[weight / sum(each) for weight in each] for each in weights]


def choice_behind(epsilon: float) -> list[list[float]]:
    return choice(epsilon, round(4 / epsilon))


def score(epsilon: float) -> list[list[float]]:
    """The discrete Laplace law, about a score at one end of the range and at the other."""
    steps = 20
    weights = laplace(exact(epsilon), steps).weights()
    law = [sum(weights[: steps + 1]), *weights[steps + 1 :]]
    shares = [weight / sum(law) for weight in law]
    return [shares, shares[::-1]]


Law = Callable[[float], list[list[float]]]
PURE: dict[Law, Callable[[float], Cost]] = {
    response: lambda epsilon: pure_cost(exact(epsilon)),
    score: lambda epsilon: pure_cost(exact(epsilon)),
    choice: lambda epsilon: pure_cost(exact(epsilon), exact(epsilon)),
    choice_behind: lambda epsilon: pure_cost(exact(epsilon), exact(epsilon)),
}


@pytest.mark.parametrize("law", PURE)
@pytest.mark.parametrize(("epsilon", "count"), [(1.0, 4), (0.05, 500)])
def test_pure_answers_never_cost_less_than_the_reference_says(
    law: Law, epsilon: float, count: int
) -> None:
    """Neither account of them: that of mu squared, nor that of epsilon."""
    lower, upper = (dict(enumerate(map(math.log, shares))) for shares in law(epsilon))
    below = pld.from_two_probability_mass_functions(
        lower, upper, pessimistic_estimate=False, value_discretization_interval=GRID
    ).self_compose(count)
    cost = PURE[law](epsilon).times(count)
    for delta in (1e-5, 1e-8):
        certain = below.get_epsilon_for_delta(delta)
        assert epsilon_of(Cost(cost.gdp), delta) >= certain
        assert epsilon_of(cost, delta) >= certain
    assert epsilon_of(cost, 0.0) == pytest.approx(count * epsilon, rel=1e-9)


@pytest.mark.parametrize("law", [response, choice])
def test_in_a_long_run_pure_answers_cost_at_most_a_third_too_much(
    law: Law,
) -> None:
    """In epsilon, where it is about 3; what a mu can say of losses at two ends alone."""
    epsilon = 0.02 if law is response else 0.04
    lower, upper = (dict(enumerate(map(math.log, shares))) for shares in law(epsilon))
    told = pld.from_two_probability_mass_functions(
        lower, upper, value_discretization_interval=GRID
    ).self_compose(1000)
    spent = epsilon_of(PURE[law](epsilon).times(1000), 1e-6)
    assert 1.0 < spent / told.get_epsilon_for_delta(1e-6) < 1.34

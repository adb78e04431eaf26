"""Laws of noise: the tables are the laws', to the last of 128 bits."""

import math
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest

from extproc.privacy.budget import delta_of
from extproc.privacy.noise import exact, laplace, normal
from tests.privacy.laws import DIGITS, exponential, within

UNIT = 1 << 128


@pytest.mark.parametrize(
    "sigma", [exact(0.5), exact(1.0), Fraction(7, 3), exact(31.7), exact(300.0), exact(1000.0)]
)
def test_the_normal_table_is_the_normal_law_rounded(sigma: Fraction) -> None:
    table = normal(sigma)
    weights = table.weights()
    assert sum(weights) == UNIT
    assert weights == weights[::-1]
    most = table.most
    for value in {0, 1, 2, most // 3, most // 2, most - 1}:
        inner = within(abs(Fraction(2 * value - 1, 2) / sigma))
        outer = within(Fraction(2 * value + 1, 2) / sigma)
        share = DIGITS.add(outer, inner) if not value else DIGITS.subtract(outer, inner)
        assert abs(DIGITS.multiply(share, Decimal(UNIT)) - weights[most + value]) < 2
    beyond = DIGITS.subtract(Decimal("0.5"), within(Fraction(2 * most + 1, 2) / sigma))
    assert DIGITS.multiply(beyond, Decimal(UNIT)) < 1  # what is never drawn


@pytest.mark.parametrize("sigma", [0.5, 1.0, 1.7, 4.0])
def test_rounded_normal_noise_is_as_private_as_normal_noise(sigma: float) -> None:
    """Of two counts that differ by one: at every epsilon, over all events; and hardly more so."""
    table = normal(exact(sigma))
    weights = [weight / UNIT for weight in table.weights()]
    losses = list(pairwise([0.0, *weights, 0.0]))
    for epsilon in (0.0, 0.1, 0.5, 1.0, 2.0, 4.0):
        factor = float(exponential(exact(epsilon)))
        told = sum(max(0.0, one - factor * other) for one, other in losses)
        assert told <= delta_of(1.0 / sigma, epsilon) + (1.0 + factor) * table.distance
    told = sum(max(0.0, one - other) for one, other in losses)
    assert told > 0.9 * delta_of(1.0 / sigma, 0.0)


def test_discrete_normal_noise_would_not_be() -> None:
    """Why it is not used: at sigma 2 its delta is more than a tenth above that of mu 1 / sigma."""
    law = [math.exp(-(value**2) / 8.0) for value in range(-60, 61)]
    shares = [each / sum(law) for each in law]
    losses = list(pairwise([0.0, *shares, 0.0]))
    epsilons = [each / 100.0 for each in range(200)]
    over = [
        sum(max(0.0, one - math.exp(epsilon) * other) for one, other in losses)
        / delta_of(0.5, epsilon)
        for epsilon in epsilons
    ]
    assert max(over) > 1.1


@pytest.mark.parametrize(("epsilon", "steps"), [(0.01, 1), (1.0, 10), (20.0, 40)])
def test_no_answer_is_likelier_by_more_than_epsilon_from_any_place(
    epsilon: float, steps: int
) -> None:
    """Exactly, by the table's own numbers, for every two places and every answer."""
    weights = laplace(exact(epsilon), steps).weights()
    assert len(weights) == 2 * steps + 1
    laws = []
    for place in range(steps + 1):
        moved = weights[steps - place : 2 * steps - place + 1]
        moved[0] += sum(weights[: steps - place])
        moved[-1] += sum(weights[2 * steps - place + 1 :])
        assert sum(moved) == UNIT
        laws.append(moved)
    most = exponential(exact(epsilon))
    ratios = [max(map(Decimal, each)) / min(map(Decimal, each)) for each in zip(*laws, strict=True)]
    assert most * (1 - Decimal("1e-9")) < max(ratios) <= most


@pytest.mark.parametrize(("epsilon", "steps"), [(1.0, 1000), (20.0, 10_000)])
def test_from_step_to_step_the_laplace_table_falls_by_its_share(epsilon: float, steps: int) -> None:
    weights = list(map(Decimal, laplace(exact(epsilon), steps).weights()))
    bound = exponential(exact(epsilon) / steps)
    falls = [near / far for far, near in pairwise(weights[1 : steps + 1])]
    assert bound * (1 - Decimal("1e-9")) < min(falls) <= max(falls) <= bound


def test_a_number_is_what_its_policy_writes() -> None:
    assert exact(0.1) == Fraction(1, 10)
    assert exact(40.0) == 40
    assert exact(1e-6) == Fraction(1, 10**6)

"""The exact test of signs, against every way that coins can fall."""

from itertools import product

import numpy as np
import pytest

from extproc.marks.sign_flips import MOST, sign_flips


def test_it_counts_every_way_that_the_coins_can_fall() -> None:
    numbers, coins = np.array([5.0, -3.0, 2.0, 2.0, 0.0, 1.0]), [True, False, False, True, True]
    fell = np.array([*coins, False])
    told = float(np.where(fell, numbers, -numbers).sum())
    ways = [np.dot(numbers, signs) for signs in product([1.0, -1.0], repeat=6)]
    tail = sign_flips(numbers, fell)
    assert tail.p == pytest.approx(np.mean([way >= told for way in ways]))
    assert 2**tail.more == pytest.approx(np.mean([way > told for way in ways]))


def test_agreement_of_all_comes_once_in_two_to_their_number() -> None:
    numbers = np.linspace(1.0, 2.0, 300) * np.where(np.arange(300) % 2, 1.0, -1.0)
    assert sign_flips(numbers, numbers > 0).at_least == pytest.approx(-300.0)
    assert sign_flips(numbers, numbers < 0).at_least == 0.0


def test_of_nothing_nothing_follows() -> None:
    assert sign_flips(np.zeros(5), np.ones(5, np.bool_)).p == 1.0
    assert sign_flips(np.zeros(0), np.ones(0, np.bool_)).p == 1.0


def test_more_numbers_than_float64_holds_are_refused() -> None:
    with pytest.raises(ValueError, match="no more than"):
        sign_flips(np.ones(MOST + 1), np.ones(MOST + 1, np.bool_))


def test_a_number_that_is_far_greater_than_all_others_is_one_coin() -> None:
    """Planted: a count of tokens, each with a coin of its own, calls this 2^-1000."""
    numbers = np.array([1000.0, *[1.0] * 9])
    assert sign_flips(numbers, np.array([True, *[False] * 9])).p >= 0.45


@pytest.mark.parametrize("size", [5, 40])
def test_p_values_hold_their_level_over_the_coins(size: int) -> None:
    random = np.random.default_rng(size)
    numbers = random.standard_cauchy(size)
    levels = np.array([sign_flips(numbers, random.random(size) < 0.5).p for _ in range(400)])
    for level in (0.01, 0.1, 0.5):
        assert np.mean(levels <= level) <= level + 4 * np.sqrt(level / 400)

"""How many marks it takes, against what is drawn."""

import numpy as np
import pytest

from extproc.marks.stamps import CONTROLS
from extproc.marks.statistics import two_sample
from extproc.ownership.power import CHANCE, REPEATED, enough, needed


@pytest.mark.parametrize("level", [-10.0, -32.0])
def test_so_many_are_enough_and_one_less_is_not(level: float) -> None:
    least = needed(level)
    assert enough(least, CONTROLS * least, level)
    assert not enough(least - 1, CONTROLS * (least - 1), level)


def test_a_copy_that_repeats_half_is_found_four_times_of_five() -> None:
    """Of 500 that are drawn; Clopper and Pearson's lower limit of 400 is above three quarters."""
    marks, generator = needed(-32.0), np.random.default_rng(1)
    controls = CONTROLS * marks
    repeated = generator.binomial(marks, REPEATED, 500)
    chance = generator.binomial(controls, CHANCE, 500)
    found = [
        two_sample((int(a), marks), (int(c), controls)).at_least <= -32.0
        for a, c in zip(repeated, chance, strict=True)
    ]
    assert np.mean(found) >= 0.8


def test_without_marks_or_controls_nothing_is_enough() -> None:
    assert not enough(0, 0, -1.0)
    assert not enough(1000, 0, -1.0)


def test_more_is_needed_the_more_are_looked_at() -> None:
    assert needed(-32.0) < needed(-40.0) < needed(-64.0) < 200

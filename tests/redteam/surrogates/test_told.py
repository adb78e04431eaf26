"""How scores were served is seen from the scores."""

import numpy as np
import pytest

from extproc.redteam.surrogates.told import decimals, read

SCORES = np.random.default_rng(1).dirichlet(np.ones(4), 50)


def test_scores_as_they_came_have_no_grid() -> None:
    told = read(SCORES)
    assert told.exact
    assert told.complete
    assert decimals(SCORES) is None


@pytest.mark.parametrize("digits", [1, 2, 4])
def test_a_grid_is_seen_and_holds_what_was_rounded(digits: int) -> None:
    told = read(np.round(SCORES, digits))
    assert told.step == pytest.approx(10.0**-digits)
    assert (told.low <= SCORES + 1e-12).all()
    assert (told.high >= SCORES - 1e-12).all()


def test_what_is_withheld_is_below_the_smallest_that_was_told() -> None:
    told = read(np.array([[0.5, 0.3, 0.0, 0.0], [0.61, 0.0, 0.22, 0.0]]))
    assert told.high[0, 2:] == pytest.approx([0.305, 0.305])
    assert told.high[1, 1] == pytest.approx(0.225)


def test_where_fewer_are_shown_than_elsewhere_the_rest_is_less_than_a_step() -> None:
    told = read(np.array([[0.5, 0.32, 0.1], [0.99, 0.0, 0.0]]))
    assert told.high[1, 1:] == pytest.approx([0.01, 0.01])


def test_bins_are_seen_by_their_middles_and_reach_halfway_to_the_next() -> None:
    middles = np.array([1 / 6, 3 / 6, 5 / 6])
    scores = np.zeros((30, 3))
    scores[:, 0] = np.tile(middles, 10)
    told = read(scores)
    assert told.step == pytest.approx(1 / 3)
    assert told.low[:3, 0] == pytest.approx([0, 1 / 3, 2 / 3], abs=1e-8)
    assert told.high[:3, 0] == pytest.approx([1 / 3, 2 / 3, 1])


def test_one_level_says_nothing_but_which_class_it_was_told_of() -> None:
    told = read(np.tile([0.1234567891234, 0.0], (8, 1)))
    assert (told.low[0, 0], told.high[0, 0]) == (0.0, 1.0)


def test_no_score_at_all_is_an_error() -> None:
    with pytest.raises(ValueError, match="no answer"):
        read(np.zeros((2, 2)))

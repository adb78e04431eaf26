import numpy as np
import pytest

from extproc.redteam.measures.ranking import ndcg

FIRST_WRONG = np.array([[3.0, 2.0, 1.0]])


def test_what_is_found_late_counts_less() -> None:
    # One of two places is right, the second: (1 / log2 3) of (1 + 1 / log2 3).
    relevant = np.array([[False, True, True]])
    assert ndcg(FIRST_WRONG, relevant, 2) == pytest.approx(0.63093 / 1.63093, abs=1e-5)
    assert ndcg(FIRST_WRONG, relevant, 3) == pytest.approx((0.63093 + 0.5) / 1.63093, abs=1e-5)


def test_the_best_order_is_one_and_the_worst_nothing() -> None:
    assert ndcg(FIRST_WRONG, np.array([[True, False, False]]), 2) == 1
    assert ndcg(FIRST_WRONG, np.array([[False, False, True]]), 2) == 0


def test_it_is_the_mean_over_questions_that_have_an_answer() -> None:
    likeness = np.repeat(FIRST_WRONG, 3, axis=0)
    relevant = np.array([[True, False, False], [False, False, True], [False, False, False]])
    assert ndcg(likeness, relevant, 2) == 0.5


def test_without_anything_relevant_there_is_no_ranking() -> None:
    with pytest.raises(ValueError, match="no question"):
        ndcg(FIRST_WRONG, np.zeros((1, 3), bool), 2)

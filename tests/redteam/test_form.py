"""What a silent change of fidelity looks like from outside."""

import numpy as np
import pytest

from extproc.redteam.answers import Answers, Floats, Vectors
from extproc.redteam.form import Form, Grain, of_answers, of_vectors, served_before_change

FULL, ROUNDED, HARD = (Form(grain, 0, 100) for grain in (Grain.EXACT, Grain.ROUNDED, Grain.LABEL))


def _answers(scores: Floats | None, count: int) -> Answers:
    return Answers(np.zeros(count, np.int64), scores, np.ones(count, bool))


@pytest.mark.parametrize(
    ("row", "grain"),
    [
        ([0.123456789, 0.876543211], Grain.EXACT),
        ([1 - 1e-9, 1e-9], Grain.EXACT),
        ([0.25, 0.75], Grain.ROUNDED),
        ([0.98, 0.0], Grain.ROUNDED),
        ([1.0, 0.0], Grain.LABEL),
    ],
)
def test_scores_show_how_far_they_are_rounded(row: list[float], grain: Grain) -> None:
    assert of_answers(_answers(np.array([row, [1.0, 0.0]]), 2)) == Form(grain, 0, 2)


def test_labels_alone_are_the_least() -> None:
    assert of_answers(_answers(None, 3)) == Form(Grain.NONE, 0, 3)


def test_vectors_show_their_width_and_how_many_values_they_take() -> None:
    rng = np.random.default_rng(1)
    exact = rng.normal(size=(5, 384))
    for values, grain in (
        (exact, Grain.EXACT),
        ((exact * 20).round() / 20, Grain.ROUNDED),
        (np.sign(exact), Grain.LABEL),
    ):
        assert of_vectors(Vectors(values, np.ones(5, bool))) == Form(grain, 384, 5)


def test_what_was_served_before_answers_told_less_is_counted() -> None:
    assert served_before_change([FULL] * 7 + [ROUNDED] * 3) == 700
    assert served_before_change([ROUNDED] * 2 + [HARD] * 2) == 200
    assert (
        served_before_change([Form(Grain.EXACT, 384, 50)] + [Form(Grain.EXACT, 64, 50)] * 4) == 50
    )


def test_the_order_of_requests_that_are_under_way_together_makes_no_difference() -> None:
    assert served_before_change([FULL, FULL, HARD, FULL, *[HARD] * 5]) == 300


def test_nothing_is_said_to_change_where_nothing_does() -> None:
    assert served_before_change([]) is None
    assert served_before_change([FULL] * 9) is None


def test_an_answer_that_is_poor_by_chance_is_no_change() -> None:
    one = Form(Grain.LABEL, 0, 1)
    assert served_before_change([ROUNDED, *[one] * 400]) is None
    assert served_before_change([ROUNDED, HARD, HARD, ROUNDED]) is None
    assert served_before_change([ROUNDED, ROUNDED, HARD]) is None

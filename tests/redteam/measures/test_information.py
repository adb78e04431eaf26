from itertools import product
from math import log2

import numpy as np
import pytest

from extproc.redteam.answers import Answers
from extproc.redteam.measures.information import Grid, codes, distinct, entropy, grid, labels


@pytest.mark.parametrize(
    ("what", "bits"),
    [
        (Grid(10, 10, 0), 216),
        (Grid(10, 10, 1_000), 71),
        (Grid(10, 10, 100), 42),
        (Grid(10, 10, 10), 16.5),
        (Grid(10, 1, 100), 9.8),
        (Grid(10, 1, 100, levels=3), 4.9),
        (labels(10), 3.3),
    ],
    ids=["raw", "3 decimals", "2 decimals", "1 decimal", "top 1, 2 decimals", "3 bins", "label"],
)
def test_ten_classes_tell_at_most_the_bits_of_the_reference(what: Grid, bits: float) -> None:
    assert what.bits == pytest.approx(bits, abs=0.5 if bits > 20 else 0.05)


@pytest.mark.parametrize(("classes", "kept", "steps"), [(3, 3, 4), (3, 1, 10), (4, 2, 6)])
def test_codes_are_as_many_as_can_be_listed(classes: int, kept: int, steps: int) -> None:
    listed = 0
    for code in product(range(steps + 1), repeat=kept):
        missing, others = steps - sum(code), classes - kept
        listed += missing == 0 if not others else 0 <= missing <= others * (min(code) + 1)
    places = {(3, 3): 1, (3, 1): 3, (4, 2): 6}[classes, kept]
    assert codes(classes, kept, steps) == places * listed


def test_entropy_by_hand_with_the_correction_of_miller() -> None:
    # Two kinds, two each: 1 bit, and (2 - 1) / (2 * 4) nats.
    assert entropy(["a", "a", "b", "b"]) == pytest.approx(1 + 1 / 8 / np.log(2))
    assert entropy(["a", "a"]) == 0


def answers(scores: list[list[float]]) -> Answers:
    values = np.array(scores)
    return Answers(values.argmax(axis=1), values, np.ones(len(values), bool))


def test_the_grid_is_the_coarsest_that_all_scores_lie_on() -> None:
    assert grid(answers([[0.5, 0.3, 0.2]]), 3) == Grid(3, 3, 10)
    assert grid(answers([[0.5, 0.3, 0.2], [0.55, 0.3, 0.15]]), 3) == Grid(3, 3, 100)
    assert grid(answers([[0.123456789, 0.5, 0.376543211]]), 3) == Grid(3, 3, 0)


def test_classes_that_are_withheld_are_not_counted() -> None:
    assert grid(answers([[0.5, 0.3, 0, 0], [0.9, 0, 0, 0]]), 4) == Grid(4, 2, 10)


def test_all_on_one_class_is_a_label() -> None:
    assert grid(answers([[0, 1], [1, 0]]), 2).bits == 1


def test_few_values_of_one_class_are_bins() -> None:
    assert grid(answers([[0.25, 0], [0, 0.75]] * 50), 2) == Grid(2, 1, 100, levels=2)


def test_labels_alone_and_refusals_have_the_grid_of_labels() -> None:
    assert grid(Answers.refused(3), 8) == labels(8)
    none = Answers(np.array([-1]), np.array([[np.nan, np.nan]]), np.array([True]))
    assert grid(none, 2) == labels(2)


def test_answers_are_the_same_where_all_they_say_is() -> None:
    assert len(set(distinct(answers([[0.5, 0.5], [0.5, 0.5], [0.6, 0.4]])))) == 2
    assert distinct(Answers(np.array([2, -1]), None, np.array([True, False]))) == [2]
    assert log2(len(set(distinct(answers([[0.5, 0.5]]))))) == 0

"""How good a copy of an embedding model is."""

import numpy as np
import pytest

from extproc.redteam.vector_judge import (
    VectorJudge,
    aligned_cosine,
    neighbour_accuracy,
    recall,
    unit,
)

RNG = np.random.default_rng(3)
VECTORS = unit(RNG.normal(size=(120, 8)))
ROTATION = np.linalg.qr(RNG.normal(size=(8, 8)))[0]


def test_a_rotation_changes_neither_measure() -> None:
    assert aligned_cosine(VECTORS @ ROTATION, VECTORS) == pytest.approx(1.0)
    assert recall(VECTORS @ ROTATION, VECTORS, 10) == 1.0


def test_what_has_nothing_to_do_with_it_is_told() -> None:
    other = unit(RNG.normal(size=(120, 8)))
    assert aligned_cosine(other, VECTORS) < 0.4
    assert recall(other, VECTORS, 10) < 0.2


def test_the_rotation_is_found_on_other_texts_than_those_it_is_measured_on() -> None:
    upside_down = VECTORS * np.where(np.arange(120) < 90, 0.01, -1.0)[:, None]
    assert aligned_cosine(upside_down, VECTORS) == pytest.approx(-1.0)


def test_a_narrower_copy_is_compared_as_far_as_it_goes() -> None:
    halved = aligned_cosine(unit(VECTORS[:, :4]), VECTORS)
    assert 0.5 < halved < 0.9


def test_a_row_of_zeros_stays() -> None:
    assert unit(np.array([[0.0, 0.0], [3.0, 4.0]])).tolist() == [[0.0, 0.0], [0.6, 0.8]]


def test_topics_are_judged_where_they_are_known() -> None:
    two = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9]])
    assert neighbour_accuracy(two, np.array([0, 0, 1, 1])) == 1.0
    assert neighbour_accuracy(two, np.array([0, 1, 0, 1])) == 0.0
    texts = [f"text {at}" for at in range(120)]
    plain = dict(VectorJudge(texts, np.zeros(0, np.int64), VECTORS).verdict(lambda _: VECTORS))
    assert plain.keys() == {"cosine", "recall_at_10"}
    topical = VectorJudge(texts, np.zeros(120, np.int64), VECTORS).verdict(lambda _: VECTORS)
    assert dict(topical)["topic_accuracy"] == 1.0

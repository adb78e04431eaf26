"""What was gathered: refusals left out, scores taken as far as they go."""

import numpy as np

from extproc.redteam.answers import Answers
from extproc.redteam.surrogates.gathered import Gathered

NOTHING = Gathered.nothing(2, 3)


def answers(labels: list[int], scores: list[list[float]] | None, served: list[bool]) -> Answers:
    told = None if scores is None else np.array(scores)
    return Answers(np.array(labels), told, np.array(served))


def test_what_was_refused_is_left_out() -> None:
    found = NOTHING.with_answers(
        np.arange(4.0).reshape(2, 2), answers([-1, 2], None, [False, True])
    )
    assert found.inputs.tolist() == [[2, 3]]
    assert found.labels.tolist() == [2]
    assert list(found.targets()) == ["labels"]


def test_scores_that_lack_some_of_one_are_read_in_three_ways() -> None:
    told = answers([0, 1], [[0.6, 0.2, 0], [0, 1, 0]], [True, True])
    ways = NOTHING.with_answers(np.zeros((2, 2)), told).targets()
    np.testing.assert_allclose(ways["scores"], [[0.6, 0.2, 0.0], [0.0, 1.0, 0.0]])
    np.testing.assert_allclose(ways["renormalised scores"], [[0.75, 0.25, 0.0], [0.0, 1.0, 0.0]])
    np.testing.assert_allclose(ways["labels"], [[1, 0, 0], [0, 1, 0]])


def test_whole_scores_are_read_in_two_ways_and_labels_stand_where_none_came() -> None:
    told = answers([0, 2], [[0.5, 0.3, 0.2], [np.nan] * 3], [True, True])
    ways = NOTHING.with_answers(np.zeros((2, 2)), told).targets()
    assert sorted(ways) == ["labels", "scores"]
    np.testing.assert_allclose(ways["scores"], np.array([[0.5, 0.3, 0.2], [0.0, 0.0, 1.0]]))


def test_a_label_beside_a_refusal_is_not_believed() -> None:
    found = NOTHING.with_answers(np.ones((2, 2)), answers([1, 2], None, [False, True]))
    assert found.labels.tolist() == [2]


def test_scores_that_were_rounded_up_beyond_one_are_brought_back_to_it() -> None:
    told = answers([0], [[0.8, 0.4, 0.4]], [True])
    ways = NOTHING.with_answers(np.zeros((1, 2)), told).targets()
    np.testing.assert_allclose(ways["scores"], [[0.5, 0.25, 0.25]])

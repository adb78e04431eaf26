"""The estimator is chosen by what is seen."""

import numpy as np

from extproc.redteam.answers import Answers
from extproc.redteam.surrogates.linear_model import resolve, scored, solve
from extproc.redteam.surrogates.softmax_regression import SoftmaxRegression

RNG = np.random.default_rng(2)
TRUTH = SoftmaxRegression(RNG.normal(size=(6, 4)))
INPUTS = RNG.uniform(-1, 1, (120, 5))
SCORES = TRUTH.probabilities(INPUTS)
LABELS = SCORES.argmax(axis=1)
YES = np.ones(120, bool)


def _agreement(answers: Answers) -> float:
    copy = solve(INPUTS, answers, 4)
    assert copy is not None
    return float((copy(INPUTS) == LABELS).mean())


def test_whole_scores_labels_and_rounded_scores_each_give_a_copy() -> None:
    assert _agreement(Answers(LABELS, SCORES, YES)) == 1.0
    assert _agreement(Answers(LABELS, None, YES)) > 0.95
    assert _agreement(Answers(LABELS, np.round(SCORES, 1), YES)) > 0.95


def test_scores_then_labels_then_refusals_count_together() -> None:
    scores = np.round(SCORES, 2)
    scores[40:] = np.nan
    served = np.arange(120) < 80
    answers = Answers(np.where(served, LABELS, -1), scores, served)

    assert scored(answers).tolist() == (np.arange(120) < 40).tolist()
    assert _agreement(answers) > 0.9


def test_labels_that_are_written_as_scores_are_labels() -> None:
    written = np.eye(4)[LABELS]

    assert not scored(Answers(LABELS, written, YES)).any()
    plain = solve(INPUTS, Answers(LABELS, None, YES), 4)
    copy = solve(INPUTS, Answers(LABELS, written, YES), 4)
    assert plain is not None
    assert copy is not None
    assert copy.weights.tobytes() == plain.weights.tobytes()


def test_a_few_steps_from_the_copy_before_are_enough_to_choose_questions() -> None:
    for scores in (None, np.round(SCORES, 1)):
        copy = resolve(INPUTS, Answers(LABELS, scores, YES), 4, TRUTH)
        assert copy is not None
        assert (copy(INPUTS) == LABELS).mean() > 0.95


def test_nothing_served_gives_no_copy() -> None:
    assert solve(INPUTS, Answers.refused(120), 4) is None


def test_labels_beside_refusals_are_not_believed() -> None:
    served = np.arange(120) < 80
    labels = np.where(served, LABELS, 0)
    asked = solve(INPUTS, Answers(labels, None, served), 4)
    alone = solve(INPUTS[:80], Answers(LABELS[:80], None, YES[:80]), 4)
    assert asked is not None
    assert alone is not None
    assert np.array_equal(asked.weights, alone.weights)

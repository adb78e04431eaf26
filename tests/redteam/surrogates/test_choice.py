"""The thief's choice: it finds the family that fits, and is not made by the judge."""

import numpy as np
import pytest

from extproc.redteam.answers import Answers, Floats
from extproc.redteam.surrogates.choice import Chooser, Constant, Family, _folds
from extproc.redteam.surrogates.gathered import Gathered
from extproc.redteam.surrogates.mixture import Mixture

LOW, HIGH = np.full(4, -1.0), np.full(4, 1.0)


def gathered(scores: Floats, inputs: Floats, *, hard: bool = False) -> Gathered:
    told = None if hard else scores
    answers = Answers(scores.argmax(axis=1), told, np.ones(len(inputs), bool))
    return Gathered.nothing(4, scores.shape[1]).with_answers(inputs, answers)


def linear(inputs: Floats) -> Floats:
    weights = np.random.default_rng(5).normal(size=(4, 3))
    raised = np.exp(6 * inputs @ weights)
    scores: Floats = raised / raised.sum(axis=1, keepdims=True)
    return scores


def chooser(seed: int = 0) -> Chooser:
    return Chooser(LOW, HIGH, np.random.default_rng(seed))


def test_of_a_softmax_regression_it_chooses_that_and_copies_it() -> None:
    rng = np.random.default_rng(0)
    inputs, fresh = rng.uniform(-1, 1, (400, 4)), rng.uniform(-1, 1, (1_000, 4))
    mine = chooser()
    copy = mine.fit(gathered(linear(inputs), inputs))
    assert mine.standing[0][0].family is Family.SOFTMAX
    assert np.mean(copy(fresh) == linear(fresh).argmax(axis=1)) > 0.99


@pytest.mark.parametrize("count", [120, 400, 3_200])
def test_of_a_circle_it_does_not_choose_a_line(count: int) -> None:
    rng = np.random.default_rng(0)
    inputs, fresh = rng.uniform(-1, 1, (count, 4)), rng.uniform(-1, 1, (1_000, 4))
    scores = [np.eye(2)[((x[:, :2] ** 2).sum(axis=1) > 0.6).astype(int)] for x in (inputs, fresh)]
    mine = chooser()
    copy = mine.fit(gathered(scores[0], inputs, hard=True))
    assert mine.standing[0][0].family is not Family.SOFTMAX
    assert np.mean(copy(fresh) == scores[1].argmax(axis=1)) > 0.85


def test_the_same_generator_makes_the_same_choice() -> None:
    rng = np.random.default_rng(0)
    inputs, fresh = rng.uniform(-1, 1, (150, 4)), rng.uniform(-1, 1, (300, 4))
    known = gathered(linear(inputs), inputs, hard=True)
    assert np.array_equal(chooser(1).fit(known)(fresh), chooser(1).fit(known)(fresh))


def test_few_answers_or_one_label_are_copied_by_the_commonest() -> None:
    inputs = np.zeros((4, 4))
    labels = np.eye(3)[[2, 2, 1, 2]]
    assert chooser().fit(gathered(labels, inputs)) == Constant(2)
    assert chooser().fit(Gathered.nothing(4, 3))(inputs).tolist() == [0, 0, 0, 0]
    many = np.random.default_rng(0).uniform(-1, 1, (50, 4))
    assert chooser().fit(gathered(np.eye(3)[[1] * 50], many)) == Constant(1)


def test_balance_gives_a_rare_label_its_share() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.uniform(-1, 1, (250, 4))
    scores = np.eye(2)[(inputs[:, 0] + 0.3 * rng.normal(size=250) > 0.8).astype(int)]
    known = gathered(scores, inputs, hard=True)
    rare = []
    for balanced in (False, True):
        mine = Chooser(
            LOW,
            HIGH,
            np.random.default_rng(0),
            families=(Family.FOREST, Family.PERCEPTRON),
            balanced=balanced,
        )
        rare.append(int(mine.fit(known)(rng.uniform(-1, 1, (500, 4))).sum()))
    assert rare[1] > rare[0]


def test_where_made_up_rows_follow_real_ones_only_these_are_validated_on() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.uniform(-1, 1, (400, 4))
    scores = linear(inputs)
    scores[100:] = np.eye(3)[rng.integers(3, size=300)]  # nothing can be learnt of these
    mine = Chooser(LOW, HIGH, np.random.default_rng(0), typical=100)
    mine.fit(gathered(scores, inputs, hard=True))
    real = mine.standing[0][1]
    over_all = chooser()
    over_all.fit(gathered(scores, inputs, hard=True))
    assert real > over_all.standing[0][1]


def test_of_more_answers_the_ways_that_did_worst_are_not_tried_again() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.uniform(-1, 1, (350, 4))
    scores = np.eye(2)[((inputs[:, :2] ** 2).sum(axis=1) > 0.6).astype(int)]
    mine = chooser()
    mine.fit(gathered(scores[:60], inputs[:60], hard=True))
    before = [way for way, _ in mine.standing]
    assert len(before) == len(Family), "of few answers every family is tried"
    mine.fit(gathered(scores, inputs, hard=True))
    assert {way for way, _ in mine.standing} <= set(before[:3])


def test_families_that_are_about_as_good_answer_together_and_others_do_not() -> None:
    rng = np.random.default_rng(0)
    inputs, fresh = rng.uniform(-1, 1, (250, 4)), rng.uniform(-1, 1, (2_000, 4))
    waves = [np.sin(4 * x[:, 0]) + x[:, 1] * x[:, 2] > 0 for x in (inputs, fresh)]
    known = gathered(np.eye(2)[waves[0].astype(int)], inputs, hard=True)
    together = chooser().fit(known)
    assert isinstance(together, Mixture)
    worths = [np.mean(part(fresh) == waves[1]) for part in together.parts]
    assert np.mean(together(fresh) == waves[1]) > np.mean(worths)
    assert not isinstance(chooser().fit(gathered(linear(inputs), inputs)), Mixture)


def test_more_scores_than_settle_a_regression_are_fitted_to_the_end() -> None:
    rng = np.random.default_rng(0)
    inputs, fresh = rng.uniform(-1, 1, (8_000, 4)), rng.uniform(-1, 1, (5_000, 4))
    mine = Chooser(LOW, HIGH, np.random.default_rng(0), families=(Family.SOFTMAX,))
    copy = mine.fit(gathered(linear(inputs), inputs))
    assert np.mean(copy(fresh) == linear(fresh).argmax(axis=1)) > 0.999


def test_where_all_rows_are_real_no_more_than_a_part_of_them_is_kept_to_validate_on() -> None:
    rng = np.random.default_rng(0)
    sizes = [len(_folds(400, typical, rng)[0]) for typical in (None, 400, 300)]
    assert sizes == [80, 80, 150]

"""What a victim said, as numbers."""

import numpy as np

from extproc.redteam.answers import Answers, Vectors


def test_what_was_refused_has_no_label() -> None:
    refused = Answers.refused(3)
    assert len(refused) == 3
    assert refused.labels.tolist() == [-1, -1, -1]
    assert refused.scores is None
    assert not refused.served.any()


def test_parts_stand_one_after_another_and_scores_that_did_not_come_are_nan() -> None:
    told = Answers(np.array([1]), np.array([[0.25, 0.75]]), np.ones(1, bool))
    joined = Answers.joined([told, Answers.refused(2)], 2)
    assert joined.labels.tolist() == [1, -1, -1]
    assert joined.served.tolist() == [True, False, False]
    assert joined.scores is not None
    assert joined.scores[0].tolist() == [0.25, 0.75]
    assert np.isnan(joined.scores[1:]).all()


def test_labels_alone_have_no_scores_and_nothing_is_of_length_zero() -> None:
    assert Answers.joined([Answers.refused(2)], 2).scores is None
    assert len(Answers.joined([], 2)) == 0
    assert len(Vectors(np.zeros((4, 2)), np.ones(4, bool))) == 4

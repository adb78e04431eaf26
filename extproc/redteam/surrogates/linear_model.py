"""The linear copy that answers give, whatever they tell.

Rule: the estimator is chosen by what is seen.  Whole scores as they came: the log ratios alone.
Scores that were rounded, cut to the first few or put into bins: the intervals that they stand for,
from the log ratios that are left or from a fit to what was told, whichever ends better.  Labels
alone: a fit to labels.  Answers of several kinds, as of a budget that ran out, count together.
"""

from typing import Final

import numpy as np

from extproc.redteam.answers import Answers, Bools, Floats, Ints
from extproc.redteam.surrogates import interval_regression, log_ratios, softmax_regression
from extproc.redteam.surrogates.softmax_regression import SoftmaxRegression
from extproc.redteam.surrogates.told import Told, read

RIDGE: Final = 0.05
"""Of a fit to labels: on squared weights, against the sum over all answers."""
_FEW_ROUNDS: Final = 40


def scored(answers: Answers) -> Bools:
    """Which of N answers have scores that tell something.

    One class at 1 and the others at 0 is a label that was written as scores: to read it as a score
    that was rounded would be to believe in a certainty that nobody told.
    """
    if answers.scores is None:
        return np.zeros(len(answers), bool)
    scores = np.nan_to_num(answers.scores)
    bare = (scores.max(axis=1) == 1) & ((scores > 0).sum(axis=1) == 1)
    told: Bools = answers.served & (scores > 0).any(axis=1) & ~bare
    return told


def solve(inputs: Floats, answers: Answers, classes: int) -> SoftmaxRegression | None:
    """The best fit to inputs [N, d] and their answers; None where none was served."""
    return _solved(inputs, answers, classes, None)


def resolve(
    inputs: Floats, answers: Answers, classes: int, before: SoftmaxRegression | None
) -> SoftmaxRegression | None:
    """A fit that is good enough to choose questions by: a few steps from the one before."""
    return _solved(inputs, answers, classes, before)


def _solved(
    inputs: Floats, answers: Answers, classes: int, before: SoftmaxRegression | None
) -> SoftmaxRegression | None:
    some = scored(answers)
    served = answers.served & ((answers.labels >= 0) | some)
    if not served.any():
        return None
    if answers.scores is None or not some.any():
        return _named(inputs[served], answers.labels[served], classes, before)
    told = read(answers.scores[some])
    first = log_ratios.solve(inputs[some], told)
    if told.exact and (told.complete or not (served & ~some).any()):
        return first
    labels = answers.labels[served]
    evidence = interval_regression.Evidence.of(inputs[served], told, some[served], labels)
    if before is not None:
        return interval_regression.fit(evidence, before, _FEW_ROUNDS)
    starts = (first, _spread(inputs[some], told))
    return min((interval_regression.fit(evidence, each) for each in starts), key=evidence.loss_of)


def _named(
    inputs: Floats, labels: Ints, classes: int, before: SoftmaxRegression | None
) -> SoftmaxRegression:
    rounds = softmax_regression.ROUNDS if before is None else _FEW_ROUNDS
    return softmax_regression.fit(
        inputs, labels, classes, ridge=RIDGE / len(inputs), rounds=rounds, start=before
    )


def _spread(inputs: Floats, told: Told) -> SoftmaxRegression:
    """A fit to the scores themselves, with what they lack spread over those withheld."""
    mass = np.where(told.shown, told.scores, 0.0)
    classes = mass.shape[1]
    return softmax_regression.fit(
        inputs, mass, classes, ridge=RIDGE / len(mass), rounds=_FEW_ROUNDS
    )

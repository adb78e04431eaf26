"""Softmax regression solved from the log ratios of the scores that were told.

Paper: Tramer, Zhang, Juels, Reiter, Ristenpart, 2016, "Stealing Machine Learning Models via
Prediction APIs", USENIX Security, section 4.1: log p_i - log p_j = (w_i - w_j) x + (b_i - b_j), so
that d+1 answers in general position give all weights.

Rule: of each answer only what was told is used, each score by its worth: a score p that was rounded
to steps of s has a logarithm that is off by about s / p / sqrt(12).  What is common to the scores
of an answer (its normaliser) is free, so that the equations are those of ratios alone.  Where they
do not settle a weight, it is as small as weights are here (a ridge whose size is taken from the
weights themselves).
"""

from typing import Final

import numpy as np

from extproc.redteam.answers import Floats
from extproc.redteam.surrogates.softmax_regression import Scale, SoftmaxRegression
from extproc.redteam.surrogates.told import Told

EXACT: Final = 1e-5
"""What a logarithm is taken to be off by where scores came as they are, but not all of them: less
would drown what settles the weights that no equation speaks of."""
PASSES: Final = 3
"""How often the size of the weights is guessed from the weights."""
_ROWS: Final = 1_000
"""At once."""
_LEAST: Final = 1e-6


def solve(inputs: Floats, told: Told) -> SoftmaxRegression:
    """Fit to inputs [N, d] and what was told of them [N, C]."""
    if told.exact and told.complete:
        return _exact(inputs, told)
    scale = Scale.of(inputs)
    design = scale.design(inputs)
    worth = _worth(told)
    logs = np.log(np.where(told.shown, told.scores, 1.0))
    left, right = _normal(design, worth, logs)
    size, weights = len(left), np.zeros_like(right)
    variance = 1.0 / design.shape[1]
    for _ in range(PASSES):
        weights = np.linalg.solve(left + np.eye(size) / variance, right)
        variance = max(float((weights**2).mean()), _LEAST)
    shaped = weights.reshape(design.shape[1], told.scores.shape[1])
    return SoftmaxRegression(scale.outside(shaped))


def _exact(inputs: Floats, told: Told) -> SoftmaxRegression:
    """All ratios, none better than another: one least squares for all classes."""
    logs = np.log(told.scores)
    scale = Scale.of(inputs)
    centred = logs - logs.mean(axis=1, keepdims=True)
    weights = np.linalg.lstsq(scale.design(inputs), centred, rcond=None)[0]
    return SoftmaxRegression(scale.outside(weights))


def _worth(told: Told) -> Floats:
    """The inverse variance of each logarithm [N, C]."""
    if told.exact:
        return told.shown / EXACT**2
    return np.where(told.shown, 12 * (told.scores / told.step) ** 2, 0.0)


def _normal(design: Floats, worth: Floats, logs: Floats) -> tuple[Floats, Floats]:
    """The normal equations over all weights [(d + 1) C], with each row's normaliser taken out."""
    size, classes = design.shape[1], worth.shape[1]
    left, right = np.zeros((size * size, classes * classes)), np.zeros((size, classes))
    for at in range(0, len(design), _ROWS):
        rows, some = design[at : at + _ROWS], worth[at : at + _ROWS]
        total = np.maximum(some.sum(axis=1), 1e-300)
        metric = some[:, :, None] * np.eye(classes)
        metric -= some[:, :, None] * some[:, None, :] / total[:, None, None]
        outer = (rows[:, :, None] * rows[:, None, :]).reshape(len(rows), -1)
        left += outer.T @ metric.reshape(len(rows), -1)
        right += rows.T @ np.einsum("nij,nj->ni", metric, logs[at : at + _ROWS])
    shaped = left.reshape(size, size, classes, classes).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(shaped).reshape(size * classes, -1), right.ravel()

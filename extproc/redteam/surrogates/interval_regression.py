"""Softmax regression by the likelihood of intervals: what was told is near, the rest is below.

Rule: a score that was rounded says that the probability lies in an interval, and nothing on where;
one that was withheld, that it is below the smallest told.  Each bound is a soft wall, in steps of
the interval's half width.  An answer with a label alone says that no class is above that one.  The
problem is not convex: it starts at the solution of the log ratios, or at a fit to labels.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_softmax

from extproc.redteam.answers import Bools, Floats, Ints
from extproc.redteam.surrogates.softmax_regression import Scale, SoftmaxRegression, one_hot, softmax
from extproc.redteam.surrogates.told import Told

HARDNESS: Final = 4.0
"""Of the walls."""
SHARPNESS: Final = 4.0
"""By which logits are multiplied before a label is taken for a draw from them."""
RIDGE: Final = 0.05
"""On squared weights of inputs of one scale, against the sum over all answers."""
ROUNDS: Final = 200


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that was told, over N inputs that were brought to one scale."""

    scale: Scale
    design: Floats
    scored: Bools
    """Which of N have scores."""
    told: Told
    """Of those that have."""
    named: Bools
    """Which of N have a label alone."""
    labels: Floats
    """Of those, as distributions."""

    @classmethod
    def of(cls, inputs: Floats, told: Told, scored: Bools, labels: Ints) -> "Evidence":
        """Inputs [N, d]; what was told of those ``scored`` [N]; labels [N] of all."""
        scale, classes = Scale.of(inputs), told.scores.shape[1]
        named = ~scored
        return cls(
            scale, scale.design(inputs), scored, told, named, one_hot(labels[named], classes)
        )

    def loss(self, weights: Floats) -> tuple[float, Floats]:
        """The mean, and its slope in the weights of scaled inputs [d + 1, C]."""
        logits = self.design @ weights
        slope = np.zeros_like(logits)
        walls, slope[self.scored] = _walls(logits[self.scored], self.told)
        names, slope[self.named] = _names(logits[self.named], self.labels)
        kept = weights.copy()
        kept[-1] = 0
        value = walls + names + RIDGE / 2 * float((kept**2).sum())
        count = len(logits)
        return value / count, (self.design.T @ slope + RIDGE * kept) / count

    def loss_of(self, model: SoftmaxRegression) -> float:
        return self.loss(self.scale.inside(model.weights))[0]


def fit(evidence: Evidence, start: SoftmaxRegression, rounds: int = ROUNDS) -> SoftmaxRegression:
    """Refine ``start``."""
    first = evidence.scale.inside(start.weights)

    def loss(flat: Floats) -> tuple[float, Floats]:
        value, slope = evidence.loss(flat.reshape(first.shape))
        return value, slope.ravel()

    found = minimize(
        loss,
        first.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": rounds, "maxfun": 2 * rounds, "ftol": 1e-10, "gtol": 1e-8},
    )
    return SoftmaxRegression(evidence.scale.outside(found.x.reshape(first.shape)))


def _walls(logits: Floats, told: Told) -> tuple[float, Floats]:
    """Sum over all scores, and its slope in the logits."""
    likely = softmax(logits)
    half = np.maximum((told.high - told.low) / 2, 1e-12)
    above = HARDNESS * (likely - told.high) / half
    below = np.where(told.low > 0, HARDNESS * (told.low - likely) / half, -np.inf)
    value = (np.logaddexp(0, above) + np.logaddexp(0, below)).sum() / HARDNESS
    push = (expit(above) - expit(below)) / half
    return float(value), likely * (push - (likely * push).sum(axis=1, keepdims=True))


def _names(logits: Floats, labels: Floats) -> tuple[float, Floats]:
    logs = log_softmax(SHARPNESS * logits, axis=1) if len(logits) else logits
    return -float((labels * logs).sum()) / SHARPNESS, np.exp(logs) - labels

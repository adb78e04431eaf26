"""Softmax regression, fitted to labels, to whole distributions, or to a part of them.

Rule: what is minimised is the cross entropy with the targets, plus a little ridge, over weights of
inputs that were brought to one scale; L-BFGS on float64 from a start that is given, so that the
same targets give the same weights.  Targets need not be whole: the mass that a row lacks is that of
its zeros together, as where an API tells some classes of a softmax (Tramer et al., 2016, "Stealing
Machine Learning Models via Prediction APIs", section 4.1, of a softmax's log ratios).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import minimize

from extproc.redteam.answers import Floats, Ints

RIDGE: Final = 1e-6
"""On the squared weights of inputs of one scale, against the mean cross entropy."""
ROUNDS: Final = 300
"""Steps of L-BFGS, at most."""


@dataclass(frozen=True, slots=True)
class SoftmaxRegression:
    """Weights [d + 1, C]; the last row is the bias."""

    weights: Floats

    def __call__(self, inputs: Floats) -> Ints:
        labels: Ints = self.logits(inputs).argmax(axis=1)
        return labels

    def logits(self, inputs: Floats) -> Floats:
        """Of inputs [N, d], [N, C]."""
        logits: Floats = inputs @ self.weights[:-1] + self.weights[-1]
        return logits

    def probabilities(self, inputs: Floats) -> Floats:
        """Of inputs [N, d], [N, C]."""
        return softmax(self.logits(inputs))


@dataclass(frozen=True, slots=True)
class Scale:
    """Brings inputs to mean 0 and deviation 1; what does not vary in them stays out."""

    mean: Floats
    factor: Floats

    @classmethod
    def of(cls, inputs: Floats) -> "Scale":
        deviation = inputs.std(axis=0)
        varies = deviation > 1e-9 * max(float(np.abs(inputs).max(initial=0.0)), 1.0)
        return cls(inputs.mean(axis=0), np.where(varies, 1 / np.where(varies, deviation, 1), 0.0))

    def design(self, inputs: Floats) -> Floats:
        """Scaled inputs with a column of ones [N, d + 1]."""
        return np.hstack([(inputs - self.mean) * self.factor, np.ones((len(inputs), 1))])

    def inside(self, weights: Floats) -> Floats:
        """Weights of plain inputs to those of scaled ones."""
        factor = np.where(self.factor > 0, self.factor, 1)
        bias = weights[-1] + self.mean @ weights[:-1]
        return np.vstack([weights[:-1] / factor[:, None], bias])

    def outside(self, weights: Floats) -> Floats:
        """Weights of scaled inputs to those of plain ones."""
        plain = weights[:-1] * self.factor[:, None]
        return np.vstack([plain, weights[-1] - self.mean @ plain])


def softmax(logits: Floats) -> Floats:
    """Of each row."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    scaled: Floats = raised / raised.sum(axis=1, keepdims=True)
    return scaled


def one_hot(labels: Floats | Ints, classes: int) -> Floats:
    """Labels [N] as distributions [N, C]."""
    return np.eye(classes)[labels.astype(np.int64)]


def fit(
    inputs: Floats,
    targets: Floats | Ints,
    classes: int,
    *,
    ridge: float = RIDGE,
    rounds: int = ROUNDS,
    start: SoftmaxRegression | None = None,
) -> SoftmaxRegression:
    """Fit to inputs [N, d] with labels [N] or distributions [N, C]."""
    wanted = one_hot(targets, classes) if targets.ndim == 1 else targets.astype(np.float64)
    scale = Scale.of(inputs)
    design = scale.design(inputs)
    first = np.zeros((design.shape[1], classes)) if start is None else scale.inside(start.weights)

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(first.shape)
        value, slope = cross_entropy(design @ weights, wanted)
        kept = weights.copy()
        kept[-1] = 0
        gradient = design.T @ slope + ridge * kept
        return value + ridge / 2 * float((kept**2).sum()), gradient.ravel()

    found = minimize(
        loss,
        first.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": rounds, "maxfun": 2 * rounds, "ftol": 1e-12, "gtol": 1e-9},
    )
    return SoftmaxRegression(scale.outside(found.x.reshape(first.shape)))


def cross_entropy(logits: Floats, wanted: Floats) -> tuple[float, Floats]:
    """The mean over N rows, and its slope in the logits [N, C].

    The mass that a row lacks of one is that of its zeros together.
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    likely = np.exp(logs)
    hidden = np.where(wanted > 0, 0.0, likely)
    together = hidden.sum(axis=1, keepdims=True)
    lacking = np.clip(1 - wanted.sum(axis=1, keepdims=True), 0.0, 1.0)
    lacking = np.where(together > _LEAST, lacking, 0.0)
    mass = wanted.sum(axis=1, keepdims=True) + lacking
    share = hidden / np.maximum(together, _LEAST)
    value = -(wanted * logs).sum() - (lacking * np.log(np.maximum(together, _LEAST))).sum()
    slope = likely * mass - wanted - share * lacking
    return float(value) / len(logits), slope / len(logits)


_LEAST: Final = 1e-300

"""A network with one hidden layer, fitted by scikit-learn, answered in numpy.

Rule: seeded, so that every start yields the same model; its numbers are scikit-learn's.
"""

import warnings
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from extproc.demo.server.models.classifier import Floats, Ints, Scores, Signature, softmax

HIDDEN: Final = 64

_RATE: Final = 5e-3
_TOLERANCE: Final = 1e-3
_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Perceptron:
    """``inner`` [d, 64] and ``outer`` [64, C], of inputs divided by ``scale``."""

    signature: Signature
    scale: float
    inner: Floats
    inner_bias: Floats
    outer: Floats
    outer_bias: Floats

    @classmethod
    def fit(cls, signature: Signature, rows: Floats, labels: Ints, *, scale: float = 1.0) -> Self:
        """Fit on rows [N, d] of labels [N] of three classes or more, until it knows them all."""
        learner = MLPClassifier(
            (HIDDEN,), learning_rate_init=_RATE, tol=_TOLERANCE, random_state=_SEED
        )
        with warnings.catch_warnings():
            # Another processor may need a step more than it may take; the model is as good.
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted = learner.fit(rows / scale, labels)
        inner, outer = map(np.ascontiguousarray, fitted.coefs_)
        return cls(signature, scale, inner, fitted.intercepts_[0], outer, fitted.intercepts_[1])

    def score(self, rows: Floats) -> Scores:
        hidden = np.maximum(rows / self.scale @ self.inner + self.inner_bias, 0)
        return softmax(hidden @ self.outer + self.outer_bias)

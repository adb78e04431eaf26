"""Multinomial logistic regression, fitted by scikit-learn, answered in numpy.

Rule: no randomness is left open, so that every start yields the same model.  That a model of this
kind falls to solving equations (Tramer et al., 2016, "Stealing Machine Learning Models via
Prediction APIs") is why it stands here.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from sklearn.linear_model import LogisticRegression

from extproc.demo.server.models.classifier import Floats, Ints, Scores, Signature, softmax

_ITERATIONS: Final = 5_000


@dataclass(frozen=True, slots=True)
class SoftmaxRegression:
    """``weights`` [d, C] and ``bias`` [C] of inputs divided by ``scale``."""

    signature: Signature
    scale: float
    weights: Floats
    bias: Floats

    @classmethod
    def fit(
        cls, signature: Signature, rows: Floats, labels: Ints, *, c: float, scale: float = 1.0
    ) -> Self:
        """Fit on rows [N, d] of labels [N]; ``c`` is the inverse of the penalty's strength."""
        fitted = LogisticRegression(C=c, max_iter=_ITERATIONS).fit(rows / scale, labels)
        weights, bias = fitted.coef_.T, fitted.intercept_
        if signature.classes == 2:  # scikit-learn gives the second class's alone
            weights = np.hstack([np.zeros_like(weights), weights])
            bias = np.concatenate([[0.0], bias])
        return cls(signature, scale, np.ascontiguousarray(weights), bias)

    def score(self, rows: Floats) -> Scores:
        return softmax(rows / self.scale @ self.weights + self.bias)

"""Handwritten digits: multinomial logistic regression on scikit-learn's bundled images.

Rule: no randomness is left open, so that every start yields the same model.  That a model of this
kind falls to solving equations (Tramer et al., 2016, "Stealing Machine Learning Models via
Prediction APIs") is why it stands here.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PIXELS: Final = 64
CLASSES: Final = 10

_BRIGHTEST: Final = 16.0
# Of 1 to 100 this C gives the likeliest held-out labels, and confidences that are to be believed.
_C: Final = 10.0
_HELD_OUT: Final = 450
_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class DigitScores:
    """What the model says of B images; logits and probabilities [B, 10], labels [B]."""

    logits: Floats
    probabilities: Floats
    labels: Ints


@dataclass(frozen=True, slots=True)
class Digits:
    """The fitted model: ``weights`` [64, 10] and ``bias`` [10]."""

    weights: Floats
    bias: Floats

    @classmethod
    def fit(cls) -> Self:
        """Fit on the 1,347 images that `split` does not hold out; takes well under a second."""
        images, _, labels, _ = split()
        fitted = LogisticRegression(C=_C, max_iter=1000).fit(images / _BRIGHTEST, labels)
        return cls(np.ascontiguousarray(fitted.coef_.T), fitted.intercept_)

    def score(self, images: Floats) -> DigitScores:
        """Score images [B, 64] of brightness 0 to 16."""
        logits = images / _BRIGHTEST @ self.weights + self.bias
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities = raised / raised.sum(axis=1, keepdims=True)
        return DigitScores(logits, probabilities, logits.argmax(axis=1))


def split() -> tuple[Floats, Floats, Ints, Ints]:
    """Images to fit on, images held out, labels to fit on, labels held out."""
    images, labels = load_digits(return_X_y=True)
    kept, held, kept_labels, held_labels = train_test_split(
        images, labels, test_size=_HELD_OUT, random_state=_SEED, stratify=labels
    )
    return kept, held, kept_labels, held_labels

"""Handwritten digits: three models of scikit-learn's bundled images, fitted on the same ones."""

from typing import Final

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from extproc.demo.server.models.classifier import Floats, Ints, Signature
from extproc.demo.server.models.forest import Forest
from extproc.demo.server.models.perceptron import Perceptron
from extproc.demo.server.models.softmax_regression import SoftmaxRegression

PIXELS: Final = 64
CLASSES: Final = 10

_BRIGHTEST: Final = 16.0
# Of 1 to 100 this C gives the likeliest held-out labels, and confidences that are to be believed.
_C: Final = 10.0
_HELD_OUT: Final = 450
_SEED: Final = 0


def regression() -> SoftmaxRegression:
    """Fit on the 1,347 images that `split` does not hold out; takes well under a second."""
    images, _, labels, _ = split()
    signature = Signature("digits", "image", PIXELS, CLASSES)
    return SoftmaxRegression.fit(signature, images, labels, c=_C, scale=_BRIGHTEST)


def perceptron() -> Perceptron:
    """As `regression`; takes half a second."""
    images, _, labels, _ = split()
    signature = Signature("digits-mlp", "image", PIXELS, CLASSES)
    return Perceptron.fit(signature, images, labels, scale=_BRIGHTEST)


def forest() -> Forest:
    """As `perceptron`."""
    images, _, labels, _ = split()
    signature = Signature("digits-forest", "image", PIXELS, CLASSES, logits=False)
    return Forest.fit(signature, images, labels, scale=_BRIGHTEST)


def split() -> tuple[Floats, Floats, Ints, Ints]:
    """Images to fit on, images held out, labels to fit on, labels held out."""
    images, labels = load_digits(return_X_y=True)
    kept, held, kept_labels, held_labels = train_test_split(
        images, labels, test_size=_HELD_OUT, random_state=_SEED, stratify=labels
    )
    return kept, held, np.asarray(kept_labels), np.asarray(held_labels)

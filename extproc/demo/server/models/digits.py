"""Handwritten digits: models of scikit-learn's bundled images, fitted on the same ones.

Three as anybody would fit them; and one network three times, with and without differential privacy,
on labels of which a few are wrong.  An odd record is what a network learns by heart, and so what
shows whether it may.
"""

from typing import Final

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from extproc.demo.server.models.classifier import Floats, Ints, Signature
from extproc.demo.server.models.dp_sgd import NOWHERE, Recipe, train
from extproc.demo.server.models.forest import Forest
from extproc.demo.server.models.perceptron import HIDDEN, Perceptron
from extproc.demo.server.models.softmax_regression import SoftmaxRegression

PIXELS: Final = 64
CLASSES: Final = 10

_BRIGHTEST: Final = 16.0
# Of 1 to 100 this C gives the likeliest held-out labels, and confidences that are to be believed.
_C: Final = 10.0
_HELD_OUT: Final = 450
_SEED: Final = 0

DELTA: Final = 1e-5
PLAIN: Final = Recipe(rate=0.25, steps=1000, noise=0.0, clip=NOWHERE, learning_rate=0.5)
"""Until every record is known by heart."""
EPSILON_8: Final = Recipe(rate=0.25, steps=200, noise=2.29, learning_rate=0.4)
EPSILON_3: Final = Recipe(rate=0.25, steps=200, noise=5.06, learning_rate=0.1)
"""At `DELTA`, as `dp_accountant.epsilon` has it."""
WRONG: Final = 45
"""Labels that are wrong, one in thirty: as many as curated data sets have."""
_WRONG_SEED: Final = 7
_TRAINING_SEED: Final = 20_260_109


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


def plain() -> Perceptron:
    """Without privacy, of images some of which are `mislabelled`; takes half a second."""
    return _trained("digits-plain", PLAIN)


def private_8() -> Perceptron:
    """As `plain`, under differential privacy with epsilon 8; takes a tenth of one."""
    return _trained("digits-dp-8", EPSILON_8)


def private_3() -> Perceptron:
    """As `private_8`, with epsilon 3."""
    return _trained("digits-dp-3", EPSILON_3)


def _trained(name: str, recipe: Recipe) -> Perceptron:
    images, _, labels, _ = split()
    rng = np.random.default_rng(_TRAINING_SEED)
    signature = Signature(name, "image", PIXELS, CLASSES)
    weights = train(images / _BRIGHTEST, mislabelled(labels), (HIDDEN, CLASSES), recipe, rng)
    return Perceptron(signature, _BRIGHTEST, *weights)


def mislabelled(labels: Ints) -> Ints:
    """The labels [N] with `WRONG` of them replaced by another one."""
    rng = np.random.default_rng(_WRONG_SEED)
    wrong = rng.choice(len(labels), WRONG, replace=False)
    changed = labels.copy()
    changed[wrong] = (labels[wrong] + rng.integers(1, CLASSES, WRONG)) % CLASSES
    return changed


def split() -> tuple[Floats, Floats, Ints, Ints]:
    """Images to fit on, images held out, labels to fit on, labels held out."""
    images, labels = load_digits(return_X_y=True)
    kept, held, kept_labels, held_labels = train_test_split(
        images, labels, test_size=_HELD_OUT, random_state=_SEED, stratify=labels
    )
    return kept, held, np.asarray(kept_labels), np.asarray(held_labels)

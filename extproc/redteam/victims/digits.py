"""The demo's three classifiers of handwritten digits: 64 pixels, ten classes, the same images.

Rule: the split is that of `extproc.demo.server.models.digits`.  Of its 450 held-out images the
judge gets half; the other half are the attacker's, and are those that membership inference has to
tell from members.  All other rows of `task` are made from the attacker's half (`expansion.py`).
"""

from typing import Final

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from extproc.redteam.adapters.kserve import Kserve
from extproc.redteam.answers import Floats, Ints
from extproc.redteam.victims.expansion import expanded
from extproc.redteam.victims.photographs import patches
from extproc.redteam.victims.victim import ClassifierVictim, Secret

SIDE: Final = 8
BRIGHTEST: Final = 16.0

_HELD_OUT: Final = 450
_SEED: Final = 0
JUDGED: Final = 225
_TASK: Final = 30_000
_NATURAL: Final = 30_000


def regression() -> ClassifierVictim:
    about = (
        "Softmax regression on scikit-learn's 8x8 digits: 64 inputs, 10 classes; reads 97 % of"
        " held-out digits rightly."
    )
    return _victim("digits", about, linear=True)


def perceptron() -> ClassifierVictim:
    about = (
        "A network of 64 hidden units on scikit-learn's 8x8 digits: 64 inputs, 10 classes; reads"
        " 98 % of held-out digits rightly, and all that it was trained on."
    )
    return _victim("digits-mlp", about)


def forest() -> ClassifierVictim:
    about = (
        "A random forest of 100 trees on scikit-learn's 8x8 digits: 64 inputs, 10 classes; reads"
        " 98 % of held-out digits rightly, and all that it was trained on."
    )
    return _victim("digits-forest", about)


def trained() -> Floats:
    """All images that the victims were trained on [N, 64], in an order of their own."""
    return split()[0]


def _victim(name: str, about: str, *, linear: bool = False) -> ClassifierVictim:
    members, held, member_truth, truth = split()
    own = len(held) - JUDGED
    return ClassifierVictim(
        name=name,
        about=about,
        adapter=Kserve(name, "image", 10),
        dimensions=SIDE * SIDE,
        classes=10,
        low=np.zeros(SIDE * SIDE),
        high=np.full(SIDE * SIDE, BRIGHTEST),
        task=expanded(held[JUDGED:], _TASK, _SEED, side=SIDE),
        natural=patches(_NATURAL, SIDE, BRIGHTEST, _SEED),
        secret=Secret(
            held[:JUDGED],
            truth[:JUDGED],
            members[:own],
            member_truth[:own],
            held[JUDGED:],
            truth[JUDGED:],
        ),
        linear=linear,
        real=own,
    )


def split() -> tuple[Floats, Floats, Ints, Ints]:
    """Images trained on and held out, then the labels of both."""
    images, labels = load_digits(return_X_y=True)
    split = train_test_split(
        images, labels, test_size=_HELD_OUT, random_state=_SEED, stratify=labels
    )
    return tuple(split)

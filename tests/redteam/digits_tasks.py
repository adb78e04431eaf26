"""Models of scikit-learn's digits as table 2.1 of the reference has them, and data for thieves."""

from functools import cache
from typing import Any

import numpy as np
from sklearn.datasets import load_digits, load_sample_images
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from extproc.redteam.answers import Floats, Ints
from tests.redteam.local import Task

OWN = 500
"""Images that a thief has of the task's kind."""


@cache
def model(name: str) -> Any:
    """One of the three victims, of brightness 0 to 16."""
    images, labels = _parts()[0]
    made = {
        "logistic regression": LogisticRegression(C=0.01, max_iter=1000),
        "perceptron": MLPClassifier((64,), max_iter=600, random_state=0),
        "random forest": RandomForestClassifier(100, random_state=0),
    }[name]
    return made.fit(images, labels)


def accuracy(name: str) -> float:
    return float(model(name).score(*_parts()[2]))


@cache
def task(name: str, expanded: int = 10_000) -> Task:
    """One `model`; ``expanded`` inputs of each kind."""
    (own, _), (test, _) = _parts()[1:]
    rng = np.random.default_rng(0)
    return Task(
        scores=model(name).predict_proba,
        classes=10,
        low=np.zeros(64),
        high=np.full(64, 16.0),
        task=_mixed(own, expanded, rng),
        natural=_patches(expanded, rng),
        test=test,
        real=len(own),
    )


def _parts() -> tuple[tuple[Floats, Ints], ...]:
    """Images and labels to fit on, a thief's, and the judge's."""
    images, labels = load_digits(return_X_y=True)
    fitted, held, fitted_labels, held_labels = train_test_split(
        images, labels, test_size=OWN + 450, random_state=0, stratify=labels
    )
    own = (held[:OWN], held_labels[:OWN])
    return (fitted, fitted_labels), own, (held[OWN:], held_labels[OWN:])


def _mixed(own: Floats, count: int, rng: np.random.Generator) -> Floats:
    """The images, then mixtures of two of them (Zhang et al., 2018, "mixup")."""
    one, other = rng.integers(len(own), size=(2, count - len(own)))
    share = rng.beta(1, 1, len(one))[:, None]
    mixed = share * own[one] + (1 - share) * own[other]
    return np.concatenate([rng.permutation(own), mixed])


def _patches(count: int, rng: np.random.Generator) -> Floats:
    """Pieces of two photographs, shrunk to 8x8 and 17 steps of grey."""
    photographs = [image.mean(axis=2) for image in load_sample_images().images]
    found = []
    for _ in range(count):
        photograph = photographs[rng.integers(len(photographs))]
        size = 8 * int(rng.integers(1, 9))
        top, left = (int(rng.integers(side - size)) for side in photograph.shape)
        piece = photograph[top : top + size, left : left + size]
        small = piece.reshape(8, size // 8, 8, size // 8).mean(axis=(1, 3))
        span = max(float(np.ptp(small)), 1.0)
        found.append(np.round((small - small.min()) / span * 16).ravel())
    return np.array(found)

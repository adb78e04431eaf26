"""Train one network on the demo's digits with more and more noise, for docs/dp-training.md.

``python docs/dp_training_example.py`` prints, for each recipe, what it promises, how many held-out
digits it reads rightly, and how many of the wrong labels among its own it has learnt by heart.  It
needs what `pip install 'extproc[demo,privacy]'` installs.
"""

import os
import sys
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from extproc.demo.server.models import digits
from extproc.demo.server.models.classifier import Signature
from extproc.demo.server.models.dp_accountant import epsilon
from extproc.demo.server.models.dp_sgd import Recipe, train
from extproc.demo.server.models.perceptron import Perceptron

RECIPES = {
    "plain": digits.PLAIN,
    "plain, 200 steps": replace(digits.PLAIN, steps=200),
    "clipped, no noise": replace(digits.EPSILON_8, noise=0.0),
    "noise 1.25": replace(digits.EPSILON_8, noise=1.25),
    "noise 2.29": digits.EPSILON_8,
    "noise 5.06": digits.EPSILON_3,
    "noise 13.5": replace(digits.EPSILON_3, noise=13.5, learning_rate=0.05),
}
SEEDS = range(3)


def main() -> None:
    print(f"{'recipe':18} {'epsilon':>8} {'read rightly':>13} {'wrong labels known':>19}")
    for name, recipe in RECIPES.items():
        right, known = np.mean([measured(recipe, seed) for seed in SEEDS], axis=0)
        promised = epsilon(recipe, digits.DELTA)
        print(f"{name:18} {promised:8.2f} {right:13.1%} {known:19.1%}")


def measured(recipe: Recipe, seed: int) -> tuple[float, float]:
    """Shares of held-out digits read rightly, and of wrong labels that are told as learnt."""
    images, held, labels, truth = digits.split()
    told = digits.mislabelled(labels)
    signature = Signature("digits", "image", digits.PIXELS, digits.CLASSES)
    rng = np.random.default_rng(seed)
    weights = train(images / 16, told, (64, digits.CLASSES), recipe, rng)
    model = Perceptron(signature, 16.0, *weights)
    wrong = told != labels
    right = np.mean(model.score(held).labels == truth)
    known = np.mean(model.score(images[wrong]).labels == told[wrong])
    return float(right), float(known)


if __name__ == "__main__":
    main()

"""Removal of marks from copies that are perceptrons, by changing their weights.

Papers: Han, Pool, Tran and Dally, 2015, "Learning both Weights and Connections for Efficient Neural
Networks", NeurIPS, for pruning by magnitude; Uchida, Nagai, Sakazawa and Satoh, 2017, "Embedding
Watermarks into Deep Neural Networks", ICMR, section 4, for both as ways of removal.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats, Ints
from extproc.redteam.surrogates.perceptron import Committee, Course, Lesson, Perceptrons, train

TUNING: Final = Course(rate=1e-3)
"""Of fine-tuning; how long it takes is said with it."""


def pruned(copy: Committee, share: float) -> Committee:
    """Without the smallest of each layer's weights, this share of them."""
    weights = []
    for layer in copy.members.weights:
        sizes = np.abs(layer).reshape(len(layer), -1)
        least = np.quantile(sizes, share, axis=1).astype(np.float32)[:, None, None]
        weights.append(np.where(np.abs(layer) < least, np.float32(0), layer))
    return replace(copy, members=Perceptrons(tuple(weights), copy.members.biases))


def fine_tuned(
    copy: Committee, inputs: Floats, labels: Ints, rng: np.random.Generator, rounds: int = 10
) -> Committee:
    """Taught further, by labels [N] of inputs [N, d] that are not marked, so many times around."""
    classes = copy.members.weights[-1].shape[-1]
    targets = np.eye(classes, dtype=np.float32)[labels]
    lessons = [Lesson(np.arange(len(inputs)), targets)] * len(copy.members)
    course = replace(TUNING, steps=max(1, rounds * len(inputs) // TUNING.batch))
    taught = train(copy.scale(inputs), lessons, rng, course, start=copy.members)
    return replace(copy, members=taught)

"""Training of a network with one hidden layer under differential privacy, in numpy.

Rule: of the records nothing leaves a step but its noised sum.  Each record is in a step with chance
``rate``, whoever else is; its gradient is clipped to norm ``clip``; Gaussian noise of standard
deviation ``noise`` times ``clip`` is added to every number of the sum; and the sum is divided by
how many records are expected, since how many were drawn is private too (Abadi et al., 2016, "Deep
Learning with Differential Privacy").  Large batches and an average of the last weights help, and
the second costs nothing (De et al., 2022, "Unlocking High-Accuracy Differentially Private Image
Classification through Scale").  Norms come from activations and errors, without the gradients
(Goodfellow, 2015, "Efficient Per-Example Gradient Computations").

The generator that is given draws everything, so that the demo's models are the same at every start.
Whoever knows its seed can take the noise away: where the promise is meant, give one that nobody
knows the seed of, from a secure source, and mind that sums of floats leak a little (Mironov, 2012,
"On Significance of the Least Significant Bits for Differential Privacy").
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from extproc.demo.server.models.classifier import Bools, Floats, Ints, softmax

Weights = tuple[Floats, Floats, Floats, Floats]
"""``inner`` [d, h], its bias [h], ``outer`` [h, C], its bias [C]; gradients have the same form."""
NOWHERE = 1e9
"""A ``clip`` that no gradient reaches, for training without privacy."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that the promise depends on (``rate``, ``steps``, ``noise``), and how to walk."""

    rate: float
    """Chance of each record to be in a step, 0 to 1."""
    steps: int
    noise: float
    """Standard deviation of the noise, in units of ``clip``."""
    learning_rate: float
    clip: float = 1.0
    """Largest norm of one record's gradient."""
    momentum: float = 0.9
    averaging: float = 0.9
    """What an average of the weights keeps of itself in a step."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one step shows: where it was, and the noised sum of clipped gradients there."""

    before: Weights
    total: Weights
    after: Weights


def train(
    rows: Floats, labels: Ints, shape: tuple[int, int], recipe: Recipe, rng: np.random.Generator
) -> Weights:
    """Weights of ``shape`` (hidden units, classes), from rows [N, d] and their labels [N]."""
    average: Weights | None = None
    for step in steps(rows, labels, shape, recipe, rng):
        kept = step.before if average is None else average
        average = _mixed(kept, step.after, recipe.averaging)
    assert average is not None, "a recipe of no steps"
    return average


def steps(
    rows: Floats, labels: Ints, shape: tuple[int, int], recipe: Recipe, rng: np.random.Generator
) -> Iterator[Step]:
    """As `train`, one step after another; the promise covers all of them, shown to anybody."""
    weights = _initial(rows.shape[1], shape, rng)
    speed: Weights = _scaled(weights, 0.0)
    for _ in range(recipe.steps):
        drawn = sampled(len(rows), recipe.rate, rng)
        exact = clipped_sum(weights, rows[drawn], labels[drawn], recipe.clip)
        total = noised(exact, recipe, rng)
        mean = _scaled(total, 1 / (recipe.rate * len(rows)))
        speed = _summed(_scaled(speed, recipe.momentum), mean)
        after = _summed(weights, _scaled(speed, -recipe.learning_rate))
        yield Step(weights, total, after)
        weights = after


def sampled(count: int, rate: float, rng: np.random.Generator) -> Bools:
    """Which of the records are in a step: each by itself, so that any number may be."""
    return rng.random(count) < rate


def clipped_sum(weights: Weights, rows: Floats, labels: Ints, clip: float) -> Weights:
    """The sum over records [B, d] of the gradient of each one's cross-entropy, cut to ``clip``."""
    inner, inner_bias, outer, outer_bias = weights
    hidden = np.maximum(rows @ inner + inner_bias, 0)
    error = softmax(hidden @ outer + outer_bias).probabilities
    error[np.arange(len(labels)), labels] -= 1
    back = (error @ outer.T) * (hidden > 0)
    squares = (_squares(rows) + 1) * _squares(back) + (_squares(hidden) + 1) * _squares(error)
    share = np.minimum(1, clip / np.maximum(np.sqrt(squares), 1e-300))[:, None]
    back, error = share * back, share * error
    return rows.T @ back, back.sum(axis=0), hidden.T @ error, error.sum(axis=0)


def noised(total: Weights, recipe: Recipe, rng: np.random.Generator) -> Weights:
    """With Gaussian noise of its own on every number of it."""
    spread = recipe.noise * recipe.clip
    one, two, three, four = (part + rng.normal(0, spread, part.shape) for part in total)
    return one, two, three, four


def _squares(rows: Floats) -> Floats:
    squares: Floats = np.einsum("bi,bi->b", rows, rows)
    return squares


def _initial(features: int, shape: tuple[int, int], rng: np.random.Generator) -> Weights:
    hidden, classes = shape
    inner = rng.normal(0, (2 / features) ** 0.5, (features, hidden))
    return inner, np.zeros(hidden), np.zeros((hidden, classes)), np.zeros(classes)


def _scaled(weights: Weights, by: float) -> Weights:
    one, two, three, four = (by * part for part in weights)
    return one, two, three, four


def _summed(first: Weights, second: Weights) -> Weights:
    one, two, three, four = (a + b for a, b in zip(first, second, strict=True))
    return one, two, three, four


def _mixed(kept: Weights, new: Weights, share: float) -> Weights:
    return _summed(_scaled(kept, share), _scaled(new, 1 - share))

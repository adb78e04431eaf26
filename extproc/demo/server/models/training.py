"""Training of tiny-lm: Adam on cross-entropy, in numpy.

Rule: seeded, so that the same text, numpy and processor give the same weights.  Kingma and Ba,
2015, "Adam: A Method for Stochastic Optimization".
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from extproc.demo.server.models.vocabulary import END, SIZE

CONTEXT: Final = 4
HIDDEN: Final = 64

_WIDE: Final = 128
_EPOCHS: Final = 2
_BATCH: Final = 256
_RATE: Final = 1.5e-2
_WARM_UP: Final = 100
_SEED: Final = 0
_MEAN_DECAY: Final = 0.9
_SQUARE_DECAY: Final = 0.995

Floats = NDArray[Any]
Ints = NDArray[np.int64]
Weights = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Activations:
    """Of B contexts: ``embedded`` [B, 4 * 64], ``wide`` [B, 128], ``hidden`` [B, 64]."""

    embedded: Floats
    wide: Floats
    hidden: Floats


def forward(weights: dict[str, Floats], contexts: Ints) -> Activations:
    """Hidden states of contexts [B, 4]."""
    embedded = weights["embedding"][contexts].reshape(len(contexts), -1)
    wide = np.tanh(embedded @ weights["wide"] + weights["wide_bias"])
    hidden = np.tanh(wide @ weights["narrow"] + weights["narrow_bias"])
    return Activations(embedded, wide, hidden)


def train(paragraphs: Sequence[Sequence[int]]) -> Weights:
    """Learn to tell each token, and the end, from the four before it."""
    random = np.random.default_rng(_SEED)
    contexts, targets = _windows(paragraphs)
    weights = _initial(random)
    adam = _Adam.start(weights)
    rates = _rates(_EPOCHS * (len(targets) // _BATCH))
    for chosen, rate in zip(_batches(random, len(targets)), rates, strict=True):
        adam.step(weights, _gradients(weights, contexts[chosen], targets[chosen]), rate)
    return weights


def _windows(paragraphs: Sequence[Sequence[int]]) -> tuple[Ints, Ints]:
    """Every context [N, 4] and the token [N] that follows it."""
    contexts, targets = [], []
    for paragraph in paragraphs:
        padded = np.array([*[END] * CONTEXT, *paragraph, END])
        contexts.append(np.lib.stride_tricks.sliding_window_view(padded[:-1], CONTEXT))
        targets.append(padded[CONTEXT:])
    return np.concatenate(contexts), np.concatenate(targets)


def _initial(random: np.random.Generator) -> Weights:
    drawn = {
        "embedding": random.normal(0, 0.1, (SIZE, HIDDEN)),
        "wide": random.normal(0, (CONTEXT * HIDDEN) ** -0.5, (CONTEXT * HIDDEN, _WIDE)),
        "wide_bias": np.zeros(_WIDE),
        "narrow": random.normal(0, _WIDE**-0.5, (_WIDE, HIDDEN)),
        "narrow_bias": np.zeros(HIDDEN),
        "unembedding": random.normal(0, 0.1, (SIZE, HIDDEN)),
    }
    return {name: array.astype(np.float32) for name, array in drawn.items()}


def _batches(random: np.random.Generator, examples: int) -> Iterator[Ints]:
    for _ in range(_EPOCHS):
        shuffled = random.permutation(examples)
        for batch in range(examples // _BATCH):
            yield shuffled[batch * _BATCH : (batch + 1) * _BATCH]


def _rates(steps: int) -> Iterator[float]:
    """Up to the full rate, then down to a fiftieth of it."""
    for step in range(1, steps + 1):
        yield _RATE * min(1.0, step / _WARM_UP) * max(0.02, 1 - step / steps)


def _gradients(weights: Weights, contexts: Ints, targets: Ints) -> Weights:
    at = forward(weights, contexts)
    error = np.exp(at.hidden @ weights["unembedding"].T)
    error /= error.sum(axis=1, keepdims=True)
    error[np.arange(len(targets)), targets] -= 1
    error /= len(targets)
    narrow = error @ weights["unembedding"] * (1 - at.hidden**2)
    wide = narrow @ weights["narrow"].T * (1 - at.wide**2)
    return {
        "unembedding": error.T @ at.hidden,
        "narrow": at.wide.T @ narrow,
        "narrow_bias": narrow.sum(axis=0),
        "wide": at.embedded.T @ wide,
        "wide_bias": wide.sum(axis=0),
        "embedding": _summed(contexts.ravel(), (wide @ weights["wide"].T).reshape(-1, HIDDEN)),
    }


def _summed(rows: Ints, values: Floats) -> Floats:
    """Values [N, 64] added up in the rows [N] of a [V, 64] array, faster than by np.add.at."""
    order = np.argsort(rows, kind="stable")
    present, starts = np.unique(rows[order], return_index=True)
    summed = np.zeros((SIZE, HIDDEN), values.dtype)
    summed[present] = np.add.reduceat(values[order], starts, axis=0)
    return summed


@dataclass(slots=True)
class _Adam:
    """Running mean and mean square of each gradient."""

    mean: Weights
    square: Weights
    steps: int

    @classmethod
    def start(cls, weights: Weights) -> "_Adam":
        zeros = {name: np.zeros_like(array) for name, array in weights.items()}
        return cls(zeros, {name: array.copy() for name, array in zeros.items()}, 0)

    def step(self, weights: Weights, gradients: Weights, rate: float) -> None:
        """Move the weights, in place."""
        self.steps += 1
        scale = np.float32(rate / (1 - _MEAN_DECAY**self.steps))
        unbias = np.float32(1 / (1 - _SQUARE_DECAY**self.steps))
        for name, gradient in gradients.items():
            mean, square = self.mean[name], self.square[name]
            mean += np.float32(1 - _MEAN_DECAY) * (gradient - mean)
            square += np.float32(1 - _SQUARE_DECAY) * (gradient * gradient - square)
            weights[name] -= scale * mean / (np.sqrt(square * unbias) + np.float32(1e-8))

"""Questions where a softmax regression tells most: near the input at which all classes tie.

Rule: there every class has a score that is far from zero, so that rounding takes little of its
logarithm, every class is among the first k for some question, and every pair of classes has its
boundary.  One step to each side, as far as logits change by about one, loses least to a grid.  The
directions of a block are orthogonal to each other, so that d+1 of them settle d+1 weights equally
well.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import lsq_linear

from extproc.redteam.answers import Floats
from extproc.redteam.surrogates.softmax_regression import SoftmaxRegression

STEP: Final = 1.3
"""Deviation of the logits of questions: t p (1 - p) is largest near it for two classes."""
FAR: Final = (0.2, 0.6, 2.0)
"""Halves of the box; what lies outside is brought to its side."""
POOL: Final = 3
"""Inputs that are considered for each one chosen, at each distance."""
_PULL: Final = 1e-3
"""To the middle of the box, against the squared logits."""


@dataclass(frozen=True, slots=True)
class Box:
    """The inputs that are taken, [d] each."""

    low: Floats
    high: Floats

    @property
    def middle(self) -> Floats:
        return (self.low + self.high) / 2

    @property
    def half(self) -> Floats:
        return (self.high - self.low) / 2

    def clip(self, inputs: Floats) -> Floats:
        return np.clip(inputs, self.low, self.high)


def tie(model: SoftmaxRegression, box: Box) -> Floats:
    """The input [d] in the box at which logits are as equal as they can be, near the middle."""
    slopes = _centred(model.weights[:-1]) * box.half[:, None]
    there = _centred(model.logits(box.middle[None]))[0]
    size = max(float(np.abs(slopes).max()), 1e-300)
    pull = np.eye(len(slopes)) * np.sqrt(_PULL)
    left = np.vstack([slopes.T / size, pull])
    right = np.concatenate([-there / size, np.zeros(len(slopes))])
    found = lsq_linear(left, right, bounds=(-1.0, 1.0))
    at: Floats = box.middle + box.half * found.x
    return at


def around(rng: np.random.Generator, count: int, at: Floats, box: Box, radius: float) -> Floats:
    """Inputs [count, d] to all sides of one, each coordinate ``radius`` halves of it off."""
    size = len(at)
    blocks = [_turned(rng, size) for _ in range(-(-count // size))]
    directions = np.concatenate(blocks)[:count] if blocks else np.zeros((0, size))
    return box.clip(at + radius * box.half * directions)


def radius(model: SoftmaxRegression, box: Box, step: float = STEP) -> float:
    """How far to go, in halves of the box, for logits to change by ``step``; at most all of it."""
    slopes = _centred(model.weights[:-1]) * box.half[:, None]
    deviation = float(np.sqrt((slopes**2).sum(axis=0).mean()))
    return min(1.0, step / max(deviation, 1e-300))


def _turned(rng: np.random.Generator, size: int) -> Floats:
    """Orthogonal rows [d, d], whose entries are about one."""
    turned: Floats = np.linalg.qr(rng.normal(size=(size, size)))[0] * np.sqrt(size)
    return turned


def _centred(logits: Floats) -> Floats:
    centred: Floats = logits - logits.mean(axis=1, keepdims=True)
    return centred


def unsure(rng: np.random.Generator, count: int, model: SoftmaxRegression, box: Box) -> Floats:
    """Inputs [count, d] far to all sides of the tie, half of them where the first two classes tie.

    Labels tell angles: the further off, the less the error of the tie matters.  The other half is
    for what the model is wrong about without a doubt.
    """
    at, half = tie(model, box), count // 2
    pool = np.concatenate([around(rng, POOL * (count - half), at, box, far) for far in FAR])
    logits = np.sort(model.logits(pool), axis=1)
    gap = (logits[:, -1] - logits[:, -2]) / np.maximum(logits.std(axis=1), 1e-300)
    chosen = pool[np.argsort(gap, kind="stable")[: count - half]]
    return np.concatenate([chosen, around(rng, half, at, box, FAR[-1])])

"""Perceptrons with one or two hidden layers, many trained at once.

Rule: members share the inputs and nothing else.  Each has rows, targets and a generator of its own,
so that it comes out the same whether it is trained beside others or alone; what is gained together
is that numpy is called once for all of them.  Adam after Kingma and Ba, 2015, "Adam: A Method for
Stochastic Optimization", algorithm 1, with a step that sinks to nothing along a cosine.

Targets [N, C] need not be whole: the mass that a row lacks of one is that of its zeros together, as
where an API names some classes and withholds the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from extproc.redteam.answers import Floats, Ints

Singles = NDArray[np.float32]

DECAY: Final = (0.9, 0.999)
"""Of Adam's two averages."""
_LEAST: Final = np.float32(1e-7)
_FLOOR: Final = 0.05
"""Share of an input's range below which its deviation does not count: pixels that are always dark
would else shout as soon as one of them is lit."""


@dataclass(frozen=True, slots=True)
class Course:
    """How long and how fast: all members alike."""

    hidden: tuple[int, ...] = (128,)
    steps: int = 600
    batch: int = 128
    rate: float = 4e-3
    shrink: float = 1e-5
    """Weight decay, apart from the step (Loshchilov and Hutter, 2019), in parts of the rate."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one member learns: of inputs ``rows`` [n], which may name a row more than once, the
    targets [N, C].
    """

    rows: Ints
    targets: Singles


@dataclass(frozen=True, slots=True)
class Scale:
    """Brings inputs to mean 0 and about deviation 1."""

    mean: Singles
    factor: Singles

    @classmethod
    def of(cls, inputs: Floats, low: Floats, high: Floats) -> Self:
        """From inputs [N, d] within bounds [d]."""
        deviation = np.maximum(inputs.std(axis=0), _FLOOR * (high - low))
        factor = 1 / np.where(deviation > 0, deviation, 1.0)
        return cls(inputs.mean(axis=0).astype(np.float32), factor.astype(np.float32))

    def __call__(self, inputs: Floats | Singles) -> Singles:
        scaled: Singles = (inputs.astype(np.float32) - self.mean) * self.factor
        return scaled


@dataclass(frozen=True, slots=True)
class Perceptrons:
    """M members; layer k has weights [M, d_k, d_k+1] and biases [M, 1, d_k+1]."""

    weights: tuple[Singles, ...]
    biases: tuple[Singles, ...]

    @classmethod
    def drawn(cls, sizes: Sequence[int], rngs: Sequence[np.random.Generator]) -> Self:
        """New ones, a generator each; weights after He et al., 2015, of layers of these sizes."""
        weights, biases = [], []
        for before, after in pairwise(sizes):
            spread = np.float32(np.sqrt(2 / before))
            drawn = [rng.standard_normal((before, after), dtype=np.float32) for rng in rngs]
            weights.append(np.stack(drawn) * spread)
            biases.append(np.zeros((len(rngs), 1, after), np.float32))
        return cls(tuple(weights), tuple(biases))

    def __len__(self) -> int:
        return len(self.weights[0])

    def members(self, first: int, end: int) -> Self:
        """Some of them, apart from the others."""
        kept = slice(first, end)
        return type(self)(tuple(w[kept] for w in self.weights), tuple(b[kept] for b in self.biases))

    def layers(self, inputs: Singles) -> list[Singles]:
        """Of inputs [n, d] or [M, n, d]: inputs, what each hidden layer says, logits [M, n, C]."""
        values = [inputs]
        for place, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            value = np.matmul(values[-1], weight)
            value += bias
            if place + 1 < len(self.weights):
                np.maximum(value, 0, out=value)
            values.append(value)
        return values

    def logits(self, inputs: Singles) -> Singles:
        """Of inputs [n, d], [M, n, C]."""
        return self.layers(inputs)[-1]

    def slopes(self, values: Sequence[Singles], slope: Singles) -> tuple[list[Singles], Singles]:
        """From the slope in the logits [M, n, C] to those in weights and biases, and in inputs."""
        slopes: list[Singles] = []
        for place in reversed(range(len(self.weights))):
            turned = np.swapaxes(values[place], -1, -2)
            slopes = [np.matmul(turned, slope), slope.sum(axis=-2, keepdims=True), *slopes]
            slope = np.matmul(slope, np.swapaxes(self.weights[place], -1, -2))
            if place:
                slope *= values[place] > 0
        return slopes, slope

    def input_slope(self, inputs: Singles, slope: Singles) -> Singles:
        """From a slope in the logits [M, n, C] to the one in inputs [n, d], for each member."""
        return self.slopes(self.layers(inputs), slope)[1]


def softmax(logits: Singles) -> Singles:
    """Of the last axis."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    likely: Singles = raised / raised.sum(axis=-1, keepdims=True)
    return likely


def cross_entropy_slope(logits: Singles, targets: Singles) -> Singles:
    """Of the summed cross entropy of rows, in their logits, both [..., C]."""
    likely = softmax(logits)
    lacking = np.maximum(1 - targets.sum(axis=-1, keepdims=True), 0)
    if not np.any(lacking > _LEAST):
        return likely - targets
    hidden = np.where(targets > 0, np.float32(0), likely)
    together = hidden.sum(axis=-1, keepdims=True)
    lacking = np.where(together > _LEAST, lacking, 0)
    share = hidden / np.maximum(together, _LEAST)
    mass = targets.sum(axis=-1, keepdims=True) + lacking
    slope: Singles = likely * mass - targets - share * lacking
    return slope


def train(
    inputs: Singles,
    lessons: Sequence[Lesson],
    rng: np.random.Generator,
    course: Course,
    start: Perceptrons | None = None,
) -> Perceptrons:
    """One member per lesson, from inputs [N, d] of one scale; with ``start``, from there on."""
    return train_each(inputs, lessons, rng.spawn(len(lessons)), course, start)


def train_each(
    inputs: Singles,
    lessons: Sequence[Lesson],
    rngs: Sequence[np.random.Generator],
    course: Course,
    start: Perceptrons | None = None,
) -> Perceptrons:
    """As `train`, with a generator for each."""
    sizes = (inputs.shape[1], *course.hidden, lessons[0].targets.shape[1])
    begun = start or Perceptrons.drawn(sizes, rngs)
    # One row of memory per member's parameters: Adam's dozen operations then are of few arrays.
    state = _Adam(begun, course)
    drawn = [_draws(lesson.rows, course, rng) for lesson, rng in zip(lessons, rngs, strict=True)]
    for step in range(course.steps):
        rows = np.stack([each[step] for each in drawn])
        targets = np.stack([lesson.targets[row] for lesson, row in zip(lessons, rows, strict=True)])
        values = state.now.layers(inputs[rows])
        slope = cross_entropy_slope(values[-1], targets) / np.float32(course.batch)
        state.move(state.now.slopes(values, slope)[0], step)
    return state.now


def _draws(rows: Ints, course: Course, rng: np.random.Generator) -> Ints:
    """Rows of each step [steps, batch]: all once, in another order each time around."""
    wanted = course.steps * course.batch
    rounds = [rng.permutation(rows) for _ in range(-(-wanted // len(rows)))]
    return np.concatenate(rounds)[:wanted].reshape(course.steps, course.batch)


class _Adam:
    """Parameters that are moved, all in one block of memory [M, P], seen through ``now``."""

    def __init__(self, begun: Perceptrons, course: Course) -> None:
        parts = [each for pair in zip(begun.weights, begun.biases, strict=True) for each in pair]
        self._block = np.concatenate([part.reshape(len(begun), -1) for part in parts], axis=1)
        self._mean = np.zeros_like(self._block)
        self._square = np.zeros_like(self._block)
        self._course = course
        seen, at = [], 0
        for part in parts:
            width = part[0].size
            seen.append(self._block[:, at : at + width].reshape(part.shape))
            at += width
        self.now = Perceptrons(tuple(seen[::2]), tuple(seen[1::2]))

    def move(self, slopes: Sequence[Singles], step: int) -> None:
        one, two = DECAY
        sunk = self._course.rate * (1 + np.cos(np.pi * step / self._course.steps)) / 2
        slope = np.concatenate([each.reshape(len(self.now), -1) for each in slopes], axis=1)
        self._mean *= np.float32(one)
        self._mean += np.float32(1 - one) * slope
        slope *= slope
        slope *= np.float32(1 - two)
        self._square *= np.float32(two)
        self._square += slope
        root = np.sqrt(self._square)
        root *= np.float32(1 / np.sqrt(1 - two ** (step + 1)))
        root += np.float32(1e-8)
        np.divide(self._mean, root, out=root)
        root *= np.float32(sunk / (1 - one ** (step + 1)))
        self._block *= np.float32(1 - sunk * self._course.shrink)
        self._block -= root


@dataclass(frozen=True, slots=True)
class Committee:
    """Perceptrons that vote with what they hold likely."""

    scale: Scale
    members: Perceptrons

    def __call__(self, inputs: Floats) -> Ints:
        """Labels [N] of inputs [N, d] as the victim takes them."""
        labels: Ints = self.probabilities(inputs).argmax(axis=1)
        return labels

    def probabilities(self, inputs: Floats) -> Floats:
        """Of inputs [N, d], [N, C]: the mean of what members hold likely."""
        likely: Floats = softmax(self.members.logits(self.scale(inputs))).mean(axis=0)
        return likely

"""What was asked and what a model said, in no API's dialect.

A dialect finds predictions in a frame; a mutator turns one into another.  Kinds are what a
fidelity names: a kind it does not name is dropped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt
from msgspec import Struct

Kind = Literal[
    "probabilities",  # one confidence per class
    "votes",  # how many members of an ensemble chose each class
    "score",  # one number: a regression, a relevance
    "logprobs",  # token log probabilities and their alternatives
    "embedding",  # a dense vector
    "tensor",  # a tensor nobody declared: logits, hidden states, anything
    "label",  # class names or indices
    "text",  # what the model wrote
    "reasoning",  # what it wrote to itself
    "usage",  # token counts
    "usage_detail",  # of them, what was cached and what was thought: a prompt-cache oracle
    "timing",  # durations
    "identity",  # model snapshot, fingerprint, service tier
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

Vector = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Matrix = npt.NDArray[np.float64]
"""Shape (rows, columns): predictions of one size, a row each; a score has one column."""


@dataclass(frozen=True, slots=True)
class Query:
    """What the client asked: the unit that limits and detectors count."""

    model: str
    """Empty where the path asks no model at all."""
    inputs: int
    """How many inputs the body holds; a batch of 64 is 64 queries."""
    stream: bool = False
    """Whether the answer was asked for as a stream of events."""


class Probabilities(Struct, frozen=True, eq=False):
    """Confidence per class, in the model's own class order."""

    values: Vector
    """Shape (classes,); each in [0, 1], together at most 1."""
    other: float | None = None
    """What the classes add up to that were hidden; None where that is not told."""


class Votes(Struct, frozen=True, eq=False):
    """How many members of an ensemble chose each class, in the model's own class order.

    Behind a mutator that answers privately: 1 for the class that is told, or all 0.
    """

    values: Counts
    """Shape (classes,); none below 0."""


class Score(Struct, frozen=True):
    """One number: a regression or a relevance."""

    value: float


class Token(Struct, frozen=True):
    """One token of a vocabulary with its natural-log probability."""

    text: str
    logprob: float
    raw: tuple[int, ...] | None = None
    """The token's UTF-8 bytes where the API gives them (a token may be half a character)."""


class Logprobs(Struct, frozen=True):
    """The chosen token and the alternatives it was chosen from, best first."""

    chosen: Token
    alternatives: tuple[Token, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """Many ``Logprobs`` side by side, without what no mutator changes."""

    logprobs: Vector
    """Shape (tokens,): of each chosen one, and behind it of its alternatives."""
    sizes: npt.NDArray[np.intp]
    """Shape (predictions,): how many of them are of each, at least 1."""
    places: npt.NDArray[np.intp]
    """Shape (tokens,): where each stood before anything was taken out."""
    changed: npt.NDArray[np.bool_]
    """Shape (tokens,): whether a mutator has changed it."""

    @classmethod
    def of(cls, logprobs: Sequence[float], sizes: Sequence[int]) -> "Tokens":
        """As a model server gave them."""
        count = len(logprobs)
        values, lengths = np.array(logprobs, np.float64), np.array(sizes, np.intp)
        return cls(values, lengths, np.arange(count), np.zeros(count, np.bool_))

    def with_logprobs(self, logprobs: Vector) -> "Tokens":
        """The same tokens with other values; -0.0 is not 0.0."""
        changed = self.changed | (logprobs.view(np.int64) != self.logprobs.view(np.int64))
        return Tokens(logprobs, self.sizes, self.places, changed)


class Embedding(Struct, frozen=True, eq=False):
    """A dense vector."""

    values: Vector
    """Shape (dimensions,); finite."""


class Usage(Struct, frozen=True):
    """Tokens that an answer took, as its model server counts them; None where it says nothing."""

    input_tokens: int | None = None
    output_tokens: int | None = None


Prediction = Probabilities | Votes | Score | Logprobs | Embedding
"""The kinds that mutators understand; of the others a fidelity only says whether they pass."""

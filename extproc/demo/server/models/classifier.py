"""What a classifier of rows of numbers is asked, and what it says."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Signature:
    """How one is asked: anybody may know all of this."""

    name: str
    """Of the model."""
    input: str
    """Name of the tensor that it takes, of rows of ``features`` numbers."""
    features: int
    classes: int
    logits: bool = True
    """Whether it has any; a vote among trees has none."""
    platform: str = "numpy"
    bounds: tuple[float, float] | None = None
    """Outside of which a number means nothing to it."""
    teachers: int = 0
    """Members of an ensemble, which tells how many of them voted for each class and nothing else; 0
    of what is none.
    """
    slow: bool = False
    """Whether a row takes it longer than a request takes the server."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What it says of B rows: ``probabilities`` [B, C] and ``labels`` [B]; logits, votes [B, C]."""

    probabilities: Floats
    labels: Ints
    logits: Floats | None = None
    votes: Ints | None = None


class Classifier(Protocol):
    @property
    def signature(self) -> Signature: ...

    def score(self, rows: Floats) -> Scores:
        """Score rows [B, features]."""
        ...


def softmax(logits: Floats) -> Scores:
    """The scores whose logits [B, C] these are."""
    raised: NDArray[Any] = np.exp(logits - logits.max(axis=1, keepdims=True))
    return Scores(raised / raised.sum(axis=1, keepdims=True), logits.argmax(axis=1), logits)

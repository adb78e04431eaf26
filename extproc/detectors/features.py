"""What detectors learn of the queries of one exchange: numbers of a fixed range.

Rule: nothing here tells a text, a vector or a score; digests and sketches are keyed.
"""

from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from msgspec import Struct

Outcome = Literal[
    "served",
    "refused",  # by what the request was: a feature, a model, a body
    "limited",  # by a limit, a budget or an escalation
    "failed",  # by the model server, or because its caller is suspected: by no doing of its own
]
LABELS: Final = 16
"""Classes are told apart by a keyed digest of so many values."""
MARGINS: Final = 8
"""Buckets of the difference between the two most likely classes: from a tie to a certainty."""
NORMS: Final = 8
"""Buckets of the norm of an embedding, an octave each."""
KNOBS: Final = 16
MODELS: Final = 16
"""Models are told apart by a keyed digest of so many values; the last is that of unknown ones."""


class Features(Struct, frozen=True, eq=False):
    """Of one exchange.  Arrays are of shape (queries,) unless they say otherwise."""

    time: float
    """When the request came, in seconds since 1970."""
    outcome: Outcome
    digests: npt.NDArray[np.uint64]
    """Keyed, of the canonical inputs: what is asked again has the same."""
    simhashes: npt.NDArray[np.uint64]
    """Keyed: inputs nearly alike have some of four bands of 16 bits in common; see shingles.py of
    texts, corners.py of numbers."""
    cells: npt.NDArray[np.int16]
    """Which part of the input space, by the reference; -1 where that knows no such inputs."""
    surprises: npt.NDArray[np.float32]
    """-ln of the conformal p-value of the distance to the reference; 0 where it knows no such."""
    lengths: npt.NDArray[np.uint8]
    """Binary logarithm of how many characters or numbers, rounded down."""
    entropies: npt.NDArray[np.uint8]
    """Bits for a character, or a number's leading digits, rounded down."""
    scripts: npt.NDArray[np.uint8]
    """How many scripts a text mixes (Unicode Standard Annex 24); 0 of numbers."""
    labels: npt.NDArray[np.uint8]
    """Of the answers that have one, shape (labels,), below LABELS."""
    margins: npt.NDArray[np.uint8]
    """Of the answers that have classes, shape (labels,), below MARGINS."""
    norms: npt.NDArray[np.uint8]
    """Of the answers that are embeddings, shape (embeddings,), below NORMS."""
    knobs: int = 0
    """Which fields it had that raise what an answer tells: a bit each, below 2**KNOBS."""
    model: int = 0
    """Below MODELS."""
    queries: int = 0
    """How many there were, where the arrays are of a sample of them, or are empty."""

    @property
    def sampled(self) -> int:
        return len(self.digests)


_NONE: Final = np.zeros(0, np.uint8)


def without_inputs(
    time: float, outcome: Outcome, queries: int, knobs: int = 0, model: int = 0
) -> Features:
    """Of an exchange whose inputs nobody has read."""
    return Features(
        time=time,
        outcome=outcome,
        digests=np.zeros(0, np.uint64),
        simhashes=np.zeros(0, np.uint64),
        cells=np.zeros(0, np.int16),
        surprises=np.zeros(0, np.float32),
        lengths=_NONE,
        entropies=_NONE,
        scripts=_NONE,
        labels=_NONE,
        margins=_NONE,
        norms=_NONE,
        knobs=knobs,
        model=model,
        queries=queries,
    )

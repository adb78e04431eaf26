"""Quantise an answer on a grid that is laid differently, in secret, for every input.

Rule: what is added before rounding is subtracted behind it.  So the error is uniform, within half a
step, and the same for all that is asked (Gray and Stockham, "Dithered Quantizers", IEEE Trans. Inf.
Theory 39(3), 1993); asking again, in other looks or through a model server whose last
bits vary, finds the same grid and the same point of it.

Answers to different inputs have different errors, which a model fitted to them averages away: this
hinders inversion and the solving of equations, not extraction.
"""

import math
from typing import Annotated, ClassVar

import msgspec
import numpy as np

from extproc.draw import Source
from extproc.errors import UpstreamError
from extproc.mutators._norm import norm, snapped
from extproc.mutators.capacity import FLOAT, NORM, Capacity
from extproc.mutators.mutator import Keyed
from extproc.prediction import (
    Embedding,
    Kind,
    Logprobs,
    Prediction,
    Probabilities,
    Score,
    Vector,
    Votes,
)


class Dither(Keyed, frozen=True, tag="dither"):
    """A vector of zeros stays one; any other keeps two digits of its length."""

    KINDS: ClassVar[frozenset[Kind]] = frozenset({"embedding", "score"})

    step: Annotated[float, msgspec.Meta(ge=1e-6, le=1e6)]
    """Width of the grid: in lengths of the vector, or as scores are measured."""

    def apply(self, prediction: Prediction, source: Source) -> Prediction | None:
        """Raises UpstreamError for what is not finite, TypeError for a kind not in KINDS."""
        secret = source.input.child(b"dither")
        match prediction:
            case Embedding(values):
                length = snapped(norm(values))
                if not length:
                    return Embedding(np.zeros_like(values))  # no sign of what underflowed
                offsets = secret.uniform(values.size) - 0.5
                return Embedding(_as_long(_dithered(values / length, offsets, self.step), length))
            case Score(value):
                if not abs(value) < 2.0**52 * self.step:
                    raise UpstreamError("a score is not finite, or too large for its step")
                offsets = secret.uniform(1) - 0.5
                return Score(float(_dithered(np.array([value]), offsets, self.step)[0]))
            case Probabilities() | Votes() | Logprobs():
                raise TypeError("dither knows embeddings and scores only")

    def limit(self, kind: Kind, before: Capacity) -> Capacity:
        """A component of a vector is at most as long as the vector, which two digits tell."""
        if kind == "score":
            return before.least(depth=FLOAT)
        codes = math.floor(2.12 / self.step) + 2
        return before.least(before.size * math.log2(codes) + NORM, shown=before.size, depth=FLOAT)


def _dithered(values: Vector, offsets: Vector, step: float) -> Vector:
    codes: Vector = np.floor(values / step + offsets + 0.5)
    return (codes - offsets) * step


def _as_long(values: Vector, length: float) -> Vector:
    """The grid makes vectors a little longer, which would tell them from others."""
    own = norm(values)
    return values * (length / own) if own else values

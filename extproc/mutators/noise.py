"""Move an embedding by so much, in a secret direction that is the input's own.

Rule: the direction is a function of the key and of what was asked, so that asking again, in other
looks too, averages nothing away.  A tenth of a vector's length makes inverters stumble (Morris et
al., "Text Embeddings Reveal (Almost) As Much As Text", EMNLP 2023) and costs a few hundredths of
recall.

It is no defence against extraction: a model fitted to the answers for *different* inputs averages
their noise, and ends up better than what the customers get.  It gives no formal privacy either:
nothing is claimed of the last bits of a float (Mironov, CCS 2012).
"""

from typing import Annotated, ClassVar

import msgspec
import numpy as np

from extproc.draw import Source
from extproc.mutators._norm import norm, snapped
from extproc.mutators.capacity import FLOAT, Capacity
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


class Noise(Keyed, frozen=True, tag="noise"):
    """A vector of zeros stays one, and a unit vector has length 1 again."""

    KINDS: ClassVar[frozenset[Kind]] = frozenset({"embedding"})

    norm: Annotated[float, msgspec.Meta(ge=1e-3, le=10.0)]
    """How far the vector is moved, in lengths of its own."""

    def apply(self, prediction: Prediction, source: Source) -> Prediction | None:
        """Raises UpstreamError for what is not finite, TypeError for a kind not in KINDS."""
        match prediction:
            case Embedding(values):
                length = snapped(norm(values))
                if not length:
                    return Embedding(np.zeros_like(values))  # no sign of what underflowed
                moved = values + _long(
                    source.input.child(b"noise").normal(values.size), self.norm * length
                )
                return Embedding(_long(moved, 1.0) if length == 1.0 else moved)
            case Probabilities() | Votes() | Score() | Logprobs():
                raise TypeError("noise knows embeddings only")

    def limit(self, kind: Kind, before: Capacity) -> Capacity:
        """Whoever knew the noise could take it away again."""
        return before.least(shown=before.size, depth=FLOAT)


def _long(values: Vector, length: float) -> Vector:
    own = norm(values)
    return values * (length / own) if own else values

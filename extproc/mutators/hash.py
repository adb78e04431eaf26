"""Serve on which side of so many secret planes a vector lies.

Rule: the answer is so many signs, nothing else: not the length, not the coordinates.  Two vectors
at an angle differ in angle / pi of their signs (Charikar, "Similarity Estimation Techniques from
Rounding Algorithms", STOC 2002), so that their product estimates how near they are.  The planes are
rows of a secret rotation (_rotation.py), thus at right angles as far as there are dimensions (Ji et
al., "Super-Bit Locality-Sensitive Hashing", NIPS 2012); like a rotation they are the tenant's and
the model's, whatever the tier.

Signs bound what one answer tells, and slow a thief who fits a model to many of them; they keep
kNN, and with it membership of a cluster, for everybody.
"""

import math
from typing import Annotated, ClassVar

import msgspec
import numpy as np

from extproc.draw import Source
from extproc.mutators._norm import norm
from extproc.mutators._rotation import rotation
from extproc.mutators.capacity import Capacity
from extproc.mutators.mutator import Keyed
from extproc.prediction import Embedding, Kind, Logprobs, Prediction, Probabilities, Score, Votes


class Hash(Keyed, frozen=True, tag="hash"):
    """The vector served has length 1, and so many dimensions as there are bits."""

    KINDS: ClassVar[frozenset[Kind]] = frozenset({"embedding"})

    bits: Annotated[int, msgspec.Meta(ge=1, le=4096)]
    """How many signs."""

    def apply(self, prediction: Prediction, source: Source) -> Prediction | None:
        """Raises UpstreamError for what is not finite, TypeError for a kind not in KINDS."""
        match prediction:
            case Embedding(values):
                norm(values)
                padded = np.zeros(max(values.size, self.bits))
                padded[: values.size] = values
                sides = rotation(source.space.child(b"hash"), padded.size).turn(padded)
                served = np.where(sides[: self.bits] < 0.0, -1.0, 1.0)
                return Embedding(served / math.sqrt(self.bits))
            case Probabilities() | Votes() | Score() | Logprobs():
                raise TypeError("hash knows embeddings only")

    def limit(self, kind: Kind, before: Capacity) -> Capacity:
        return before.least(float(self.bits), size=self.bits, shown=self.bits, depth=1.0)

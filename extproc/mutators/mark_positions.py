"""Mark a copy of an embedding model: move a few components of each vector, as only a key knows.

Rule: which ones, and which way, is a function of the key and of the region of the space in which
the vector lies (marks/positions.py), so that whoever asks again, at another tier too, is told the
same, and whoever fits a model to the answers fits it to the moves.  `marks/spaces.py` finds them in
his copy, rounded, turned, mapped and cut too.  Two callers see each other's marks where their
answers differ, so the key is their cohort's.

After Wang et al., "Robust and Minimally Invasive Watermarking for EaaS", ACL 2025 (ESpeW).  It is
the first of its chain: what others round, turn and cut is marked then.
"""

import math
from typing import Annotated, ClassVar

import msgspec
import numpy as np

from extproc.draw import Source
from extproc.marks.positions import Moves, positions
from extproc.mutators._norm import norm
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


class MarkPositions(Keyed, frozen=True, tag="mark_positions"):
    """A vector of zeros stays one, and a unit vector has length 1 again."""

    KINDS: ClassVar[frozenset[Kind]] = frozenset({"embedding"})

    strength: Annotated[float, msgspec.Meta(ge=0.005, le=0.1)]
    """How far a vector is moved, in lengths of its own."""

    def apply(self, prediction: Prediction, source: Source) -> Prediction | None:
        """Raises UpstreamError for what is not finite, TypeError for a kind not in KINDS."""
        match prediction:
            case Embedding(values):
                length = norm(values)
                if source.marks is None or not length:
                    return prediction
                moves = positions(source.marks, values.size).of(values)
                return Embedding(self._moved(values, length, moves)) if moves.any() else prediction
            case Probabilities() | Votes() | Score() | Logprobs():
                raise TypeError("mark_positions knows embeddings only")

    def limit(self, kind: Kind, before: Capacity) -> Capacity:
        """Whoever knew the moves could take them back."""
        return before.least(shown=before.size, depth=FLOAT)

    def _moved(self, values: Vector, length: float, moves: Moves) -> Vector:
        """As long as it was."""
        steps = moves.astype(np.float64)  # whole numbers, whose squares add up exactly
        steps *= self.strength * length / math.sqrt(float(np.vdot(steps, steps)))
        moved = values.copy()
        moved[: steps.size] += steps
        moved *= length / norm(moved)
        return moved

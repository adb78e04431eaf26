"""Serve the first components of an embedding: what is withheld, no regression brings back.

Rule: a unit vector stays one.  Models trained for it lose little (Kusupati et al., "Matryoshka
Representation Learning", NeurIPS 2022), while a thief's copy stops getting better however many
answers it sees, because the rest of the space is in none of them.
"""

from typing import Annotated, ClassVar

import msgspec
import numpy as np

from extproc.mutators._norm import norm, snapped
from extproc.mutators._rows import all_snapped, norms
from extproc.mutators.capacity import FLOAT, Capacity
from extproc.mutators.mutator import Plain
from extproc.prediction import (
    Embedding,
    Kind,
    Logprobs,
    Matrix,
    Prediction,
    Probabilities,
    Score,
    Vector,
    Votes,
)


class Truncate(Plain, frozen=True, tag="truncate"):
    """A vector that has no more components than are shown passes unchanged."""

    KINDS: ClassVar[frozenset[Kind]] = frozenset({"embedding"})

    dimensions: Annotated[int, msgspec.Meta(ge=1)]
    """How many components are shown."""

    def apply(self, prediction: Prediction) -> Prediction | None:
        """Raises UpstreamError for what is not finite, TypeError for a kind not in KINDS."""
        match prediction:
            case Embedding(values):
                length = norm(values)
                if values.size <= self.dimensions:
                    return prediction
                head = values[: self.dimensions]
                return Embedding(_unit(head) if snapped(length) == 1.0 else head)
            case Probabilities() | Votes() | Score() | Logprobs():
                raise TypeError("truncate knows embeddings only")

    def apply_rows(self, _kind: Kind, rows: Matrix) -> Matrix:
        """As each row by itself."""
        lengths = norms(rows)
        if rows.shape[1] <= self.dimensions:
            return rows
        heads = rows[:, : self.dimensions].copy()
        units = np.flatnonzero(all_snapped(lengths) == 1.0)
        left = norms(heads[units])[:, np.newaxis]
        heads[units] = np.where(left > 0.0, heads[units], 0.0) / np.where(left > 0.0, left, 1.0)
        return heads

    def limit(self, kind: Kind, before: Capacity) -> Capacity:
        """What is left of a unit vector is scaled by what was cut off: any float."""
        return before.least(size=min(before.size, self.dimensions), depth=FLOAT)


def _unit(head: Vector) -> Vector:
    """The head at length 1; where nothing is left of the vector, nothing."""
    length = norm(head)
    return head / length if length else np.zeros_like(head)

"""Answer how near the inputs of a request are to each other, in place of where they are.

Rule: no vector leaves.  What does is the matrix of cosines, rounded: enough to rank, to cluster and
to find duplicates among what was sent, and all that server-side search needs to hand out.  A thief
learns distances between texts of his own choice, from which coordinates, but for a rotation, can be
had back by multidimensional scaling (Torgerson, Psychometrika 17, 1952): rounding bounds how well,
and limits on inputs bound of how many.
"""

import math
from collections.abc import Sequence
from typing import Annotated, ClassVar

import msgspec
import numpy as np

from extproc.errors import UpstreamError
from extproc.mutators._norm import norm
from extproc.mutators.capacity import Capacity
from extproc.mutators.mutator import Whole
from extproc.prediction import Embedding, Kind, Vector


class Similarity(Whole, frozen=True, tag="similarity"):
    """A vector of zeros is as near to everything as a right angle, and to itself."""

    KINDS: ClassVar[frozenset[Kind]] = frozenset({"embedding"})
    MOST: ClassVar[int] = 128
    """They are compared in one go, while no other request has its turn: 4 ms for so many vectors of
    1,536 dimensions."""

    digits: Annotated[int, msgspec.Meta(ge=1, le=4)]
    """Decimals of a cosine."""

    def apply_all(self, predictions: Sequence[Embedding]) -> list[Embedding]:
        """For each input its cosines to all inputs, in their order: rows of a symmetric matrix.

        Raises UpstreamError where a vector is not finite, or is not as long as the others, or where
        there are too many.
        """
        if not predictions:
            return []
        if len(predictions) > self.MOST:
            raise UpstreamError(f"the answer holds more than {self.MOST} embeddings to compare")
        if len({prediction.values.size for prediction in predictions}) > 1:
            raise UpstreamError("embeddings of one answer have different dimensions")
        units = _units(predictions)
        cosines = np.clip(units @ units.T, -1.0, 1.0)
        np.fill_diagonal(cosines, 1.0)
        rounded = np.round(cosines, self.digits) + 0.0  # no -0.0
        return [Embedding(row) for row in np.maximum(rounded, rounded.T)]

    def limit(self, kind: Kind, before: Capacity, inputs: int) -> Capacity:
        """One row, of which the input's own place is always 1, and no more than all vectors."""
        depth = self._depth()
        bits = min((inputs - 1) * depth, inputs * before.bits)
        return Capacity(inputs, inputs, depth, max(bits, 0.0))

    def bits(self, before: Capacity, inputs: int) -> float:
        """log2 of the number of whole answers: the rows share all but the diagonal in pairs."""
        return min(math.comb(inputs, 2) * self._depth(), inputs * before.bits)

    def _depth(self) -> float:
        """log2 of the multiples of a step within [-1, 1]."""
        return math.log2(2 * 10**self.digits + 1)


def _units(predictions: Sequence[Embedding]) -> Vector:
    """Shape (inputs, dimensions): each vector at length 1."""
    lengths = np.array([norm(prediction.values) for prediction in predictions])
    units = np.array([prediction.values for prediction in predictions])
    units /= np.where(lengths > 0.0, lengths, 1.0)[:, np.newaxis]
    return units

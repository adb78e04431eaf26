"""Say which, and roughly how sure: the rung above the bare label.

Rule: the answer is a function of the top label and of the bin its confidence falls into, and is
that bin's midpoint.  The other classes read 0, as behind ``top_k``.  Thresholds are public, so that
who may ask often finds where one is crossed (Tramèr et al., USENIX Security 2016): bins are for
honest users who want a word for confidence.  Against a question of membership three of them tell
about as much as the whole vector (Choquette-Choo et al., "Label-Only Membership Inference", ICML
2021).
"""

import math
from typing import Annotated, ClassVar

import msgspec
import numpy as np

from extproc.mutators._domain import check_probabilities
from extproc.mutators._rows import check_rows, settled
from extproc.mutators.capacity import Capacity
from extproc.mutators.mutator import Plain
from extproc.prediction import (
    Embedding,
    Kind,
    Logprobs,
    Matrix,
    Prediction,
    Probabilities,
    Score,
    Votes,
)


class Bins(Plain, frozen=True, tag="bins"):
    """Put into its bin again, a midpoint stays where it is."""

    KINDS: ClassVar[frozenset[Kind]] = frozenset({"probabilities"})

    count: Annotated[int, msgspec.Meta(ge=2, le=100)]
    """Bins of equal width between 0 and 1."""

    def apply(self, prediction: Prediction) -> Prediction | None:
        """Raises UpstreamError for what is no probability, TypeError for a kind not in KINDS."""
        match prediction:
            case Probabilities():
                return _binned(prediction, self.count)
            case Votes() | Score() | Logprobs() | Embedding():
                raise TypeError("bins knows probabilities only")

    def apply_rows(self, _kind: Kind, rows: Matrix) -> Matrix:
        """As each row by itself."""
        check_rows(rows)
        tops = rows.argmax(axis=1)[:, np.newaxis]
        bins = np.floor(np.take_along_axis(rows, tops, axis=1) * self.count)
        served = np.zeros_like(rows)
        middles = (np.minimum(bins, self.count - 1) + 0.5) / self.count
        np.put_along_axis(served, tops, middles, axis=1)
        return settled(served, rows)

    def limit(self, kind: Kind, before: Capacity) -> Capacity:
        """A label and a bin."""
        labels = math.log2(max(1, before.size))
        return before.least(labels + math.log2(self.count), shown=1, depth=math.log2(self.count))


def _binned(prediction: Probabilities, count: int) -> Probabilities:
    """The midpoint at the first of the largest, 0 elsewhere; no classes have no label."""
    values = prediction.values
    check_probabilities(values)
    if not values.size:
        return prediction
    top = values.argmax()
    served = np.zeros_like(values)
    served[top] = (min(int(values[top] * count), count - 1) + 0.5) / count
    return prediction if served.tobytes() == values.tobytes() else Probabilities(served)

"""Say which, and not how sure: the floor of the ladder for classifiers.

Rule: the answer is a function of the top label alone.  It does not stop a thief who has data
(Papernot et al., "Practical Black-Box Attacks", AsiaCCS 2017; Krishna et al., ICLR 2020), it takes
from all others what they live on (Tramèr et al., USENIX Security 2016).
"""

import math
from typing import ClassVar

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


class LabelOnly(Plain, frozen=True, tag="label_only"):
    """Probabilities become one-hot; logprobs go, since a token's label is its text."""

    KINDS: ClassVar[frozenset[Kind]] = frozenset({"probabilities", "logprobs"})

    def apply(self, prediction: Prediction) -> Prediction | None:
        """Raises UpstreamError for what is no probability, TypeError for a kind not in KINDS."""
        match prediction:
            case Probabilities():
                return _one_hot(prediction)
            case Logprobs():
                return None
            case Votes() | Score() | Embedding():
                raise TypeError("label_only knows probabilities and logprobs only")

    def apply_rows(self, _kind: Kind, rows: Matrix) -> Matrix:
        """As each row by itself."""
        check_rows(rows)
        labels = np.zeros_like(rows)
        np.put_along_axis(labels, rows.argmax(axis=1)[:, np.newaxis], 1.0, axis=1)
        same = (labels == rows).all(axis=1)
        labels[same] = rows[same]
        return settled(labels, rows)

    def limit(self, kind: Kind, before: Capacity) -> Capacity:
        if kind == "logprobs":
            return before.least(0.0)
        return before.least(math.log2(max(1, before.size)), shown=1, depth=1.0)


def _one_hot(prediction: Probabilities) -> Probabilities:
    """1 at the first of the largest, 0 elsewhere; no classes have no label."""
    values = prediction.values
    check_probabilities(values)
    if not values.size:
        return prediction
    label = np.zeros_like(values)
    label[values.argmax()] = 1.0
    return prediction if np.array_equal(label, values) else Probabilities(label)

"""Keep the best k and hide the tail, which is what a thief without data learns from.

Rule: what is hidden is not replaced.  Its mass is not spread over the rest, which would change
what the rest means and tell how much there was.  Orekondy et al., "Knockoff Nets", CVPR 2019,
try truncated posteriors against a thief who has data, and find that they hardly stop that one.
"""

from typing import Annotated, ClassVar

import msgspec
import numpy as np

from extproc.mutators._domain import SMALL, check_logprobs, check_probabilities
from extproc.mutators.capacity import Capacity
from extproc.mutators.mutator import Plain
from extproc.prediction import Embedding, Kind, Logprobs, Prediction, Probabilities, Score


class TopK(Plain, frozen=True, tag="top_k"):
    """Of equals the first are kept, as argmax would."""

    KINDS: ClassVar[frozenset[Kind]] = frozenset({"probabilities", "logprobs"})

    k: Annotated[int, msgspec.Meta(ge=1)]
    """How many classes, or alternatives beside the chosen token, are shown."""

    def apply(self, prediction: Prediction) -> Prediction | None:
        """Raises UpstreamError for what is no probability, TypeError for a kind not in KINDS."""
        match prediction:
            case Probabilities():
                return _classes(prediction, self.k)
            case Logprobs():
                return _tokens(prediction, self.k)
            case Score() | Embedding():
                raise TypeError("top_k knows probabilities and logprobs only")

    def limit(self, kind: Kind, before: Capacity) -> Capacity:
        """Which are shown, and their values as they were."""
        if kind == "logprobs":
            return before.least(size=min(before.size, self.k + 1))
        return before.least(shown=self.k)


def _classes(prediction: Probabilities, k: int) -> Probabilities:
    """The same shape with 0 for every class that is not among the best k."""
    values = prediction.values
    check_probabilities(values)
    if np.count_nonzero(values) <= k:
        return prediction
    if values.size <= SMALL:
        return Probabilities(np.array(_few(values.tolist(), k)))
    best = np.argsort(-values, kind="stable")[:k]
    kept = np.zeros_like(values)
    kept[best] = values[best]
    return Probabilities(kept)


def _few(values: list[float], k: int) -> list[float]:
    """As for many, several times faster."""
    kept = [0.0] * len(values)
    for at in sorted(range(len(values)), key=values.__getitem__, reverse=True)[:k]:
        kept[at] = values[at]
    return kept


def _tokens(prediction: Logprobs, k: int) -> Logprobs:
    """The same tokens in the same order without the alternatives that are not among the best k."""
    check_logprobs(prediction)
    tokens = prediction.alternatives
    if len(tokens) <= k:
        return prediction
    ranking = sorted(range(len(tokens)), key=lambda index: -tokens[index].logprob)
    return Logprobs(prediction.chosen, tuple(tokens[index] for index in sorted(ranking[:k])))

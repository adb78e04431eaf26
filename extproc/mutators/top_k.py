"""Keep the best k and hide the tail, which is what a thief without data learns from.

Rule: what is hidden is not replaced.  Its mass is not spread over the rest, which would change
what the rest means and tell how much there was.  Where that may be told, it stands by itself, as
one class called ``other`` (see dialects/hidden.py), and nothing but ``round`` may follow: what else
there is knows classes alone.  Orekondy et al., "Knockoff Nets", CVPR 2019,
try truncated posteriors against a thief who has data, and find that they hardly stop that one.
"""

import math
from typing import Annotated, ClassVar

import msgspec
import numpy as np

from extproc.mutators._domain import SMALL, check_logprobs, check_probabilities, check_tokens
from extproc.mutators._rows import check_rows, counted, first, settled
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
    Tokens,
    Votes,
)


class TopK(Plain, frozen=True, tag="top_k"):
    """Of equals the first are kept, as argmax would."""

    KINDS: ClassVar[frozenset[Kind]] = frozenset({"probabilities", "logprobs"})

    k: Annotated[int, msgspec.Meta(ge=1)]
    """How many classes, or alternatives beside the chosen token, are shown."""
    other: bool = False
    """Whether what the hidden classes add up to is shown, as one class of this name."""

    def apply(self, prediction: Prediction) -> Prediction | None:
        """Raises UpstreamError for what is no probability, TypeError for a kind not in KINDS."""
        match prediction:
            case Probabilities():
                shown = _classes(prediction, self.k)
                return _told(prediction, shown) if self.other else shown
            case Logprobs() if not self.other:
                return _tokens(prediction, self.k)
            case Logprobs():
                raise TypeError("top_k knows no other for logprobs")
            case Votes() | Score() | Embedding():
                raise TypeError("top_k knows probabilities and logprobs only")

    def apply_rows(self, _kind: Kind, rows: Matrix) -> Matrix:
        """As each row by itself.  Raises TypeError where what is hidden was to be told."""
        if self.other:
            raise TypeError("rows without names have no place for other")
        check_rows(rows)
        longer = np.flatnonzero(counted(rows != 0.0) > self.k)
        if not longer.size:
            return rows
        kept = rows.copy()
        kept[longer] = _best(rows[longer], self.k)
        return settled(kept, rows)

    def apply_tokens(self, tokens: Tokens) -> Tokens:
        """As each prediction by itself."""
        check_tokens(tokens)
        sizes = np.minimum(tokens.sizes, self.k + 1)
        if (sizes == tokens.sizes).all():
            return tokens
        begins = np.cumsum(tokens.sizes) - tokens.sizes
        keys = -tokens.logprobs
        keys[begins] = -np.inf  # the chosen one stays
        group = np.repeat(np.arange(len(sizes)), tokens.sizes)
        order = np.lexsort((keys, group))
        ranks = np.arange(len(keys)) - np.repeat(begins, tokens.sizes)
        kept = np.sort(order[ranks <= self.k])
        values, places = tokens.logprobs[kept], tokens.places[kept]
        return Tokens(values, sizes, places, tokens.changed[kept])

    def limit(self, kind: Kind, before: Capacity) -> Capacity:
        """Which are shown, and their values as they were."""
        if kind == "logprobs":
            return before.least(size=min(before.size, self.k + 1))
        return before.least(shown=self.k, other=FLOAT if self.other else None)


def _told(before: Probabilities, after: Probabilities) -> Probabilities:
    """With what was hidden, now and before: exactly summed, so that it tells of no order."""
    if after is before and before.other is not None:
        return before
    hidden = math.fsum([before.other or 0.0, *before.values[after.values == 0.0].tolist()])
    return Probabilities(after.values, min(1.0, hidden))


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


def _best(rows: Matrix, k: int) -> Matrix:
    """0 for all but the best k of each row, which has more that are not 0."""
    least = np.partition(rows, -k, axis=1)[:, -k, np.newaxis]
    kept = rows >= least
    torn = np.flatnonzero(counted(kept) > k)
    if torn.size:
        above = rows[torn] > least[torn]
        kept[torn] = above | first(rows[torn] == least[torn], k - counted(above))
    return np.where(kept, rows, 0.0)


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

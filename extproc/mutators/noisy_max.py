"""Answer the class with the most votes of an ensemble, privately in the data of each member.

Rule: members were trained on separate parts of the data, so that a record changes one vote: one
count falls by 1 and another rises by 1.  Noise is added to every count, and of the result nothing
is told but the place of the largest (Papernot et al., "Scalable Private Learning with PATE", ICLR
2018: GNMax with Gaussian noise; with Gumbel noise it is the exponential mechanism).

Where a threshold is set, the most votes have to reach it first, under noise of its own; an answer
for which they do not is all zeros, and has cost that check alone.

The account does not look at the votes: how sure an ensemble was is private itself.
"""

import math
from fractions import Fraction
from functools import cached_property
from typing import Annotated, ClassVar, Final, Literal

import msgspec
import numpy as np

from extproc.draw import Draw, Source
from extproc.errors import UpstreamError
from extproc.mutators.capacity import Capacity
from extproc.mutators.mutator import Private
from extproc.prediction import (
    Counts,
    Embedding,
    Kind,
    Logprobs,
    Prediction,
    Probabilities,
    Score,
    Votes,
)
from extproc.privacy import (
    Cost,
    Exponential,
    Table,
    exact,
    exponential,
    gaussian_cost,
    normal,
    pure_cost,
)

_MOST: Final = 1 << 31
_CLASSES: Final = 1 << 16
_Width = Annotated[float, msgspec.Meta(ge=0.5, le=500.0)]


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many votes, under normal noise, an answer takes."""

    votes: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    """Of the class with the most."""
    sigma: _Width
    """Standard deviation of the noise of that check, in votes."""


class NoisyMax(Private, frozen=True, tag="noisy_max"):
    """Changes the top label where votes are close.  Served are votes of which one is 1, or none."""

    KINDS: ClassVar[frozenset[Kind]] = frozenset({"votes"})
    RELABELS: ClassVar[bool] = True

    noise: Literal["gaussian", "gumbel"]
    """Normal noise costs least in a long run of answers; Gumbel noise needs no delta."""
    scale: _Width
    """In votes: the standard deviation of normal noise, the scale parameter of Gumbel noise."""
    threshold: Threshold | None = None
    """Without it every input is answered."""

    def __post_init__(self) -> None:
        """Makes the tables."""
        _ = self._law, self._law_of_check

    def apply(self, prediction: Prediction, source: Source) -> Prediction | None:
        """Raises UpstreamError for what are no votes, TypeError for a kind not in KINDS."""
        match prediction:
            case Votes(values):
                return Votes(self._answered(values, source.answer(b"noisy_max")))
            case Probabilities() | Score() | Logprobs() | Embedding():
                raise TypeError("noisy_max knows votes only")

    def limit(self, kind: Kind, before: Capacity) -> Capacity:
        return before.least(math.log2(before.size + 1), shown=1, depth=1.0)

    def cost(self) -> Cost:
        chosen = self._chosen()
        return chosen + self._checked() if self.threshold else chosen

    def spent(self, served: Prediction) -> Cost:
        if self.threshold and isinstance(served, Votes) and not served.values.any():
            return self._checked()
        return self.cost()

    def _chosen(self) -> Cost:
        if self.noise == "gaussian":
            return gaussian_cost(Fraction(2), exact(self.scale))
        epsilon = 2 / exact(self.scale)
        return pure_cost(epsilon, epsilon)

    def _checked(self) -> Cost:
        assert self.threshold is not None
        return gaussian_cost(Fraction(1), exact(self.threshold.sigma))

    def _answered(self, votes: Counts, secret: Draw) -> Counts:
        """The draw is of the votes too: of one noise under two of them, they would tell more."""
        if not 0 < votes.size <= _CLASSES or votes.min() < 0 or votes.max() >= _MOST:
            raise UpstreamError("votes are not counts")
        own = secret.child(np.ascontiguousarray(votes, "<i8").tobytes())
        answer = np.zeros(votes.size, np.int64)
        if self._reached(votes, own):
            answer[self._place(votes, own)] = 1
        return answer

    def _reached(self, votes: Counts, secret: Draw) -> bool:
        if self.threshold is None:
            return True
        noise = self._law_of_check.draw(secret.child(b"threshold"), 1)
        return bool(votes.max() + noise[0] >= self.threshold.votes)

    def _place(self, votes: Counts, secret: Draw) -> int:
        match self._law:
            case Table() as noise:
                return int((votes + noise.draw(secret, votes.size)).argmax())
            case choice:
                return choice.draw(secret, votes)

    @cached_property
    def _law(self) -> Table | Exponential:
        scale = exact(self.scale)
        return exponential(scale) if self.noise == "gumbel" else normal(scale)

    @cached_property
    def _law_of_check(self) -> Table:
        """Of nothing, where there is no check."""
        return normal(exact(self.threshold.sigma)) if self.threshold else Table(())

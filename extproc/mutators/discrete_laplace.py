"""Answer a score on a grid, with noise that makes it private in what the model said.

Rule: whatever the score, it is brought within a range and onto a grid of whole steps; noise of the
discrete Laplace law is added in steps, and what falls out of the range is served as its end.  Any
two scores are at most the range apart, so that the noise falls by e**epsilon within it (Ghosh,
Roughgarden and Sundararajan, "Universally Utility-Maximizing Privacy Mechanisms", STOC 2009).

That is a promise about an output, not about training data.
"""

import math
from functools import cached_property
from typing import Annotated, ClassVar, Final

import msgspec

from extproc.draw import Source
from extproc.errors import UpstreamError
from extproc.mutators.capacity import Capacity
from extproc.mutators.mutator import Private
from extproc.prediction import Embedding, Kind, Logprobs, Prediction, Probabilities, Score, Votes
from extproc.privacy import Cost, Table, exact, laplace, pure_cost

_MOST: Final = 10_000
_End = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]


class DiscreteLaplace(Private, frozen=True, tag="discrete_laplace"):
    """Served is one of the scores low, low + step, ..., high."""

    KINDS: ClassVar[frozenset[Kind]] = frozenset({"score"})

    epsilon: Annotated[float, msgspec.Meta(ge=0.01, le=20.0)]
    """Of one answer, between any two scores."""
    low: _End
    """The smallest score that is served."""
    high: _End
    """The largest."""
    step: Annotated[float, msgspec.Meta(ge=1e-4, le=1e6)]
    """From one score to the next."""

    def __post_init__(self) -> None:
        """Makes the table; raises ValueError where the range is not a number of steps."""
        steps = (exact(self.high) - exact(self.low)) / exact(self.step)
        if steps.denominator != 1 or not 1 <= steps <= _MOST:
            raise ValueError(f"high lies a whole number of steps above low, 1 to {_MOST}")
        _ = self._table

    def apply(self, prediction: Prediction, source: Source) -> Prediction | None:
        """Raises UpstreamError for what is not finite, TypeError for a kind not in KINDS."""
        match prediction:
            case Score(value):
                return Score(self._noisy(value, source))
            case Probabilities() | Votes() | Logprobs() | Embedding():
                raise TypeError("discrete_laplace knows scores only")

    def limit(self, kind: Kind, before: Capacity) -> Capacity:
        values = math.log2(self._steps + 1)
        return before.least(values, depth=values)

    def cost(self) -> Cost:
        return pure_cost(exact(self.epsilon))

    @cached_property
    def _table(self) -> Table:
        return laplace(exact(self.epsilon), self._steps)

    @property
    def _steps(self) -> int:
        return round((self.high - self.low) / self.step)

    def _noisy(self, value: float, source: Source) -> float:
        """By exact fractions, for 0.7 is not 7 times 0.1 as floats have it."""
        if not math.isfinite(value):
            raise UpstreamError("a score is not finite")
        steps = self._steps
        within = min(max(value, self.low), self.high)
        place = min(round((within - self.low) / self.step), steps)
        secret = source.answer(b"discrete_laplace").child(b"%d" % place)
        noise = int(self._table.draw(secret, 1)[0])
        served = min(max(place + noise, 0), steps)
        return float(exact(self.low) + served * exact(self.step))

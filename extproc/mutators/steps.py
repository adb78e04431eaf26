"""Serve a score as one of a few values, evenly spaced from the least to the largest.

Rule: what lies beyond them is the nearest of them.  How far beyond is not told, which is where a
regression gives itself away: d + 1 exact answers are the weights of a linear one (Tramèr et al.,
"Stealing Machine Learning Models via Prediction APIs", USENIX Security 2016), and steps only ask
for more answers.
"""

import math
from typing import Annotated, ClassVar

import msgspec
import numpy as np

from extproc.errors import UpstreamError
from extproc.mutators._rows import settled
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


class Steps(Plain, frozen=True, tag="steps"):
    """Served again, a served score is the same."""

    KINDS: ClassVar[frozenset[Kind]] = frozenset({"score"})

    least: Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]
    """The smallest score that is served."""
    step: Annotated[float, msgspec.Meta(ge=1e-4, le=1e6)]
    """From one score to the next."""
    values: Annotated[int, msgspec.Meta(ge=2, le=1_000_000)]
    """How many different scores are served."""

    def apply(self, prediction: Prediction) -> Prediction | None:
        """Raises UpstreamError for what is not finite, TypeError for a kind not in KINDS."""
        match prediction:
            case Score(value):
                served = self._nearest(value) + 0.0  # no -0.0
                return prediction if repr(served) == repr(value) else Score(served)
            case Probabilities() | Votes() | Logprobs() | Embedding():
                raise TypeError("steps knows scores only")

    def apply_rows(self, _kind: Kind, rows: Matrix) -> Matrix:
        """As each row by itself."""
        served = [self._nearest(value) + 0.0 for value in rows[:, 0].tolist()]
        return settled(np.array(served)[:, np.newaxis], rows)

    def limit(self, kind: Kind, before: Capacity) -> Capacity:
        return before.least(math.log2(self.values), depth=math.log2(self.values))

    def _nearest(self, value: float) -> float:
        """To twelve digits, so that 0.7 is not 7 times 0.1 as floats have it."""
        if not math.isfinite(value):
            raise UpstreamError("a score is not finite")
        last = self.values - 1
        within = min(max(value, self.least), self.least + last * self.step)
        count = min(round((within - self.least) / self.step), last)
        return float(f"{self.least + count * self.step:.12g}")

"""Answer an embedding with noise that makes it private in what the model said.

Rule: a vector longer than ``clip`` is shortened to it, and its components are cut off, towards 0,
to whole steps: so it lies in a ball on a grid, where any two points are at most twice ``clip``
apart, which whole numbers show and no float error undoes.  To every component normal noise is
added, rounded to whole steps; the cost is that of the noise before it was rounded (Dong, Roth and
Su, "Gaussian Differential Privacy", JRSS B 84(1), 2022, theorem 2.7).

That is a promise about an output, not about training data, and a dear one: noise of a standard
deviation of ``clip`` in each component is as long as the vector times the root of its dimensions.
"""

import math
from fractions import Fraction
from functools import cached_property
from typing import Annotated, ClassVar, Final

import msgspec
import numpy as np

from extproc.draw import Source
from extproc.errors import UpstreamError
from extproc.mutators._norm import norm
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
    Vector,
    Votes,
)
from extproc.privacy import Cost, Table, exact, gaussian_cost, normal

_FINEST: Final = 1 << 20
"""Steps in ``clip`` at most."""
_WIDEST: Final = 1000
"""Steps in ``sigma`` at most."""
_DIMENSIONS: Final = 1 << 16
_SHORTER: Final = 1.0 - 2.0**-30
"""More than a length is off by, so that no float error leaves a vector too long."""
_Length = Annotated[float, msgspec.Meta(ge=1e-6, le=1e6)]


class Gaussian(Private, frozen=True, tag="gaussian"):
    """A vector of zeros gets the same noise as any other."""

    KINDS: ClassVar[frozenset[Kind]] = frozenset({"embedding"})

    clip: _Length
    """What longer vectors are shortened to."""
    sigma: _Length
    """Standard deviation of the noise in each component."""
    step: _Length
    """Width of the grid; at most twice sigma, at least a thousandth of it.  A component below it is
    0 before the noise."""

    def __post_init__(self) -> None:
        """Makes the table; raises ValueError where the grid is too coarse or too fine."""
        if self._width < Fraction(1, 2) or self._width > _WIDEST:
            raise ValueError(f"step is at most twice sigma, and at least 1 / {_WIDEST} of it")
        if not 1 <= self._square <= _FINEST**2:
            raise ValueError(f"step is at most clip, and at least 1 / {_FINEST} of it")
        _ = self._table

    def apply(self, prediction: Prediction, source: Source) -> Prediction | None:
        """Raises UpstreamError for what is not finite, TypeError for a kind not in KINDS."""
        match prediction:
            case Embedding(values):
                if values.size > _DIMENSIONS:
                    raise UpstreamError("an embedding has too many dimensions")
                places = self._clipped(values)
                secret = source.answer(b"gaussian").child(places.astype("<i8").tobytes())
                noise = self._table.draw(secret, values.size)
                return Embedding((places + noise).astype(np.float64) * self.step)
            case Probabilities() | Votes() | Score() | Logprobs():
                raise TypeError("gaussian knows embeddings only")

    def limit(self, kind: Kind, before: Capacity) -> Capacity:
        """Whoever knew the noise could take it away again."""
        depth = math.log2(2 * math.isqrt(int(self._square)) + 1)
        return before.least(before.size * depth, shown=before.size, depth=depth)

    def cost(self) -> Cost:
        return gaussian_cost(4 * self._square, self._width)

    @cached_property
    def _table(self) -> Table:
        return normal(self._width)

    @property
    def _width(self) -> Fraction:
        """Sigma in steps."""
        return exact(self.sigma) / exact(self.step)

    @cached_property
    def _square(self) -> Fraction:
        """The square of ``clip`` in steps."""
        return (exact(self.clip) / exact(self.step)) ** 2

    def _clipped(self, values: Vector) -> Counts:
        """In whole steps, shape (dimensions,); their squares add up to no more than clip's."""
        length = norm(values)
        scale = min(1.0, self.clip * _SHORTER / length) / self.step if length else 0.0
        places = np.trunc(values * scale).astype(np.int64)
        assert int(places @ places) <= self._square
        return places

"""How much an answer can carry: an upper bound of the bits by which its predictions may differ.

Rule: what is counted is every prediction that could be served, however unlikely, so that no thief
learns more than is charged.  The bound of a chain is the least that one of its mutators lets
through: what leaves it is a function of what left any of them.  For a mutator that draws, the draw
counts as known to the thief; it tells nothing of the model.

Shannon, "A Mathematical Theory of Communication", 1948: entropy is at most the log of the count.
"""

import math
from dataclasses import dataclass
from typing import Final

from extproc.prediction import Kind

FLOAT: Final = 64.0
"""Bits of a float64."""
TOKEN: Final = 20.0
"""Bits that say which token of a vocabulary; none in use has a million."""
_COUNTED: Final = 64
"""Places up to which the ways to choose them are counted; above, their entropy bounds them."""
NORM: Final = math.log2(90 * 306 + 1)
"""Bits of two significant digits of a length, from 1e-150 to 1e155, or of a zero."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """Of the predictions that there can be, all of one size."""

    size: int
    """Classes, dimensions, or tokens: the chosen one and its alternatives; 1 for a score."""
    shown: int
    """Of them, at most so many are not 0."""
    depth: float
    """log2 of the values that one of them can have."""
    bits: float
    """log2 of the number of predictions."""
    other: float = 0.0
    """log2 of the values that the sum of what is hidden can have; 0 where it is not told."""

    def least(
        self,
        bits: float = math.inf,
        *,
        size: int | None = None,
        shown: int | None = None,
        depth: float | None = None,
        other: float | None = None,
    ) -> "Capacity":
        """Behind a mutator that lets through so many bits, of this size and depth.

        The size and the depth are what they were unless they are given.  So many are shown as
        before, or as given if that is fewer.
        """
        length = self.size if size is None else size
        few = min(self.shown, length, length if shown is None else shown)
        each = self.depth if depth is None else depth
        hidden = self.other if other is None else other
        spread = _spread(length, few, each) + hidden
        return Capacity(length, few, each, min(self.bits, bits, spread), hidden)


def whole(kind: Kind, size: int) -> Capacity:
    """What a prediction can carry that no mutator has touched; without end if nobody knows.

    ``size`` is how many classes, dimensions or alternatives of a token it has; of a text, tokens.
    """
    match kind:
        case "logprobs":
            return _full(size + 1, FLOAT + TOKEN)
        case "score":
            return _full(1, FLOAT)
        case "probabilities" | "votes" | "embedding":
            return _full(size, FLOAT)
        case "label":
            return _full(1, math.log2(max(1, size)))
        case "text" | "reasoning":
            return _full(size, TOKEN)
        case _:
            return Capacity(size, size, math.inf, math.inf)


def _full(size: int, depth: float) -> Capacity:
    return Capacity(size, size, depth, size * depth)


def places(size: int, shown: int) -> float:
    """log2 of the ways to choose which entries may be other than 0: at most so many are shown."""
    if shown >= size:
        return 0.0
    if shown <= _COUNTED:
        return math.log2(sum(math.comb(size, count) for count in range(shown + 1)))
    share = min(shown / size, 0.5)
    return -size * (share * math.log2(share) + (1 - share) * math.log2(1 - share))


def sums(size: int, most: int) -> float:
    """log2 of the vectors of whole numbers that add up to at most so many; a little more."""
    ways = math.lgamma(size + most + 1) - math.lgamma(size + 1) - math.lgamma(most + 1)
    return ways / math.log(2) + 1e-6


def shares(before: Capacity, most: int) -> float:
    """log2 of the ways in which what is shown, and the sum of the rest where it is told, can share
    at most so many steps.
    """
    told = 1 if before.other else 0
    of_shown = places(before.size, before.shown) + sums(before.shown + told, most)
    return min(of_shown, sums(before.size + told, most))


def _spread(size: int, shown: int, depth: float) -> float:
    """log2 of the vectors in which so many may be other than 0, of 2**depth values each."""
    if not shown:
        return 0.0
    return min(places(size, shown) + shown * depth, size * depth)

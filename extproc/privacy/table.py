"""Noise in whole numbers, looked up in a table of its law's tails.

Rule: no float decides what is drawn.  Each tail is a whole number of 2**-128, computed in whole
numbers of far more digits when a policy is loaded; a draw compares 128 uniform bits with them.
What a law of doubles leaks in its last bits (Mironov, "On Significance of the Least Significant
Bits for Differential Privacy", CCS 2012), and what rejection tells by how long it takes, is not
there to be seen.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.draw import Draw

Whole = npt.NDArray[np.int64]
BITS: Final = 128
"""Of a uniform number that a draw compares."""
_WORD: Final = 64


class Table:
    """The law of a whole number that is as likely as its negative."""

    def __init__(self, tails: Sequence[int]) -> None:
        """``tails``: in 2**-128, how likely the number is at least 1, 2, 3 and so on; falling, and
        each rounded down.  The last of them is the largest number there is.
        """
        kept = [tail for tail in tails if tail]
        self.most = len(kept)
        """The largest number that is drawn."""
        self._bounds = [*reversed(kept), *((1 << BITS) - tail for tail in kept)]
        self._high = np.array([*(each >> _WORD for each in self._bounds), (1 << _WORD) - 1], "<u8")

    @property
    def distance(self) -> float:
        """Total variation distance from the exact law, at most: each number's weight is off by less
        than twice 2**-128, and what all are off by counts half.
        """
        return (2 * self.most + 1) * 2.0**-BITS

    def weights(self) -> list[int]:
        """Of -most, ..., most: how likely each of them is, in 2**-128; together 2**128."""
        ends = [0, *self._bounds, 1 << BITS]
        return [end - start for start, end in pairwise(ends)]

    def draw(self, secret: Draw, count: int) -> Whole:
        """Shape (count,): independent draws, the same whenever the secret is.

        The first 64 bits of a bound decide but once in 2**64 times.
        """
        words = np.frombuffer(secret.octets(2 * count * 8), "<u8").reshape(count, 2)
        high = words[:, 1]
        found = self._high.searchsorted(high)
        close = self._high[found] == high
        if np.count_nonzero(close):
            for at in np.flatnonzero(close).tolist():
                value = int(words[at, 1]) << _WORD | int(words[at, 0])
                found[at] = bisect_right(self._bounds, value)
        return found - self.most

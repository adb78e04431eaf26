"""Serve probabilities in so many bits: the nearest of a small book of distributions.

Rule: the book holds the distributions whose every part is a whole number of k-ths, and k is the
largest for which it can be numbered in the bits at hand.  Reznik, "An Algorithm for Quantization of
Discrete Probability Distributions" (DCC 2011), shows how near the nearest is; it is found by
largest remainder (_apportion.py), which keeps the sum, the order and the top label.  Many classes
make k small, down to 1, which is the label alone: that is served whatever the bits.
A book slows equation solving (Tramèr et al., USENIX Security 2016) by what it withholds of each
answer; a thief with enough answers needs no more than labels.
"""

import math
from functools import lru_cache
from typing import Annotated, ClassVar, Final

import msgspec

from extproc.mutators._apportion import apportioned, most_steps
from extproc.mutators._apportion_rows import apportioned_rows
from extproc.mutators._domain import check_probabilities
from extproc.mutators._rows import check_rows, settled
from extproc.mutators.capacity import Capacity, shares
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

_FINEST: Final = 10**6
"""Parts that float64 still tells apart, a billionth of each."""


class Codebook(Plain, frozen=True, tag="codebook"):
    """Looked up again, an entry of the book is the same."""

    KINDS: ClassVar[frozenset[Kind]] = frozenset({"probabilities"})

    bits: Annotated[int, msgspec.Meta(ge=1, le=256)]
    """Bits per answer."""

    def apply(self, prediction: Prediction) -> Prediction | None:
        """Raises UpstreamError for what is no probability, TypeError for a kind not in KINDS."""
        match prediction:
            case Probabilities(values):
                check_probabilities(values)
                served = apportioned(values, parts(self.bits, values.size))
                return prediction if served.tobytes() == values.tobytes() else Probabilities(served)
            case Votes() | Score() | Logprobs() | Embedding():
                raise TypeError("codebook knows probabilities only")

    def apply_rows(self, _kind: Kind, rows: Matrix) -> Matrix:
        """As each row by itself."""
        check_rows(rows)
        return settled(apportioned_rows(rows, parts(self.bits, rows.shape[1])), rows)

    def limit(self, kind: Kind, before: Capacity) -> Capacity:
        """The bits, or as many as the label needs, or few classes at the finest can have."""
        most = most_steps(parts(self.bits, before.size))
        return before.least(shares(before, most), depth=math.log2(most + 1))


@lru_cache(maxsize=1024)
def parts(bits: int, classes: int) -> int:
    """The largest k, at least 1, whose book for so many classes has at most 2**bits entries."""
    coarse, fine = 1, 2
    while fine <= _FINEST and _fits(fine, bits, classes):
        coarse, fine = fine, fine * 2
    fine = min(fine, _FINEST + 1)
    while fine - coarse > 1:
        middle = (coarse + fine) // 2
        coarse, fine = (middle, fine) if _fits(middle, bits, classes) else (coarse, middle)
    return coarse


def _fits(grid: int, bits: int, classes: int) -> bool:
    return math.comb(classes + most_steps(grid), classes) <= 1 << bits

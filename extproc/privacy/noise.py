"""The laws of noise: the normal law rounded to whole numbers, and the discrete Laplace law.

Rule: tails are computed in fixed point with twice the bits that are kept.

Rounded, not discrete: of whole numbers with normal noise, rounded, one may say all that holds of
normal noise, since rounding only follows it; the discrete Gaussian of Canonne, Kamath and Steinke
("The Discrete Gaussian for Differential Privacy", NeurIPS 2020) is a law of its own, whose least mu
is larger than 1 / sigma by about a part in 24 * sigma**2.  The discrete Laplace law is that of
Ghosh, Roughgarden and Sundararajan, "Universally Utility-Maximizing Privacy Mechanisms", STOC 2009.
"""

from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from typing import Final

from extproc.privacy.table import BITS, Table

_PLACES: Final = 320
"""Binary places of numbers in fixed point."""
_ONE: Final = 1 << _PLACES
_NOTHING: Final = _ONE >> 200
"""Weights below this, and all beyond them together, are below what a table keeps."""
_DIGITS: Final = Context(prec=120)
_TABLES: Final = 64
"""Kept, of those that the policies of a process use; one of the largest has 2 MB."""
SHAVED: Final = 1 - Fraction(1, 1 << 40)
"""Pure mechanisms are made for so much of their epsilon, which is more than their tables err by."""


@lru_cache(1024)
def exact(value: float) -> Fraction:
    """A number as its policy writes it: 0.1 is a tenth."""
    return Fraction(repr(value))


def power(exponent: Fraction) -> int:
    """e**-exponent in 2**-320."""
    quotient = _DIGITS.divide(Decimal(-exponent.numerator), Decimal(exponent.denominator))
    return int(_DIGITS.multiply(_DIGITS.exp(quotient), Decimal(_ONE)))


@lru_cache(_TABLES)
def normal(sigma: Fraction) -> Table:
    """Of the normal law with this standard deviation, rounded to whole numbers."""
    cells = _cells(sigma)
    beyond = list(accumulate(reversed(cells)))[::-1]  # at least 0, half of 0's own cell left out
    scale = 2 * beyond[0] - cells[0]
    return Table([(tail << BITS) // scale for tail in beyond[1:]])


def _cells(sigma: Fraction) -> list[int]:
    """In proportion, the weights of the cells around 0, 1, 2 and so on, 1 / sigma wide.

    The density's Taylor series about a cell's middle is integrated term by term; it consists of
    Hermite polynomials, whose recurrence ``terms`` follows.  From middle to middle the density
    falls by ``ratio``, which itself falls by ``fall``.
    """
    half = 1 / (2 * sigma)
    square = _ONE * half.numerator**2 // half.denominator**2
    ratio, fall = power(1 / (2 * sigma**2)), power(1 / sigma**2)
    density, cells = _ONE, list[int]()
    while density > _NOTHING:
        cells.append(density * _terms(2 * square * len(cells), square) >> _PLACES)
        density = density * ratio >> _PLACES
        ratio = ratio * fall >> _PLACES
    return cells


def _terms(product: int, square: int) -> int:
    """The sum of ``a(i) / (i + 1)`` over even i, where a(0) = 1, a(1) = product and
    ``(i + 1) * a(i + 1) = product * a(i) - square * a(i - 1)``.
    """
    before, term, total, order = _ONE, product, _ONE, 1
    while abs(term) > 1 << 32 or abs(before) > 1 << 32:
        before, term = term, (product * term - square * before >> _PLACES) // (order + 1)
        order += 1
        if order % 2 == 0:
            total += term // (order + 1)
    return total


@lru_cache(_TABLES)
def laplace(epsilon: Fraction, steps: int) -> Table:
    """Of the discrete Laplace law whose weights fall by e**epsilon within so many steps; what lies
    further out is there.
    """
    ratio = power(epsilon * SHAVED / steps)
    tail, tails = (ratio << _PLACES) // (_ONE + ratio), list[int]()
    for _ in range(steps):
        tails.append(tail >> _PLACES - BITS)
        tail = tail * ratio >> _PLACES
    return Table(tails)

"""The cell of an input: what it has in common with inputs that are nearly it.

Rule: looks change nothing, and small changes mostly nothing, so that whoever asks near variants and
takes the answer of most does not see which was marked; inputs that differ have cells of their own
mostly, so that a mark is the answer to few.  Where cells end only the key knows.

Of a text, the runs of three letters of its folded words that come first in three random orders: two
texts meet as often as the third power of what runs they have in common (Broder, "On the resemblance
and containment of documents", SEQUENCES 1997).  Of over 32 numbers, less their mean, the nearest
corners of six cross-polytopes, in 16 random directions each (Terasawa and Tanaka, WADS 2007;
Andoni et al., NIPS 2015).  Of fewer, which are a table's columns, each on a grid of octaves of its
own, coarser the more they are, moved at random (Datar et al., "Locality-sensitive hashing scheme
based on p-stable distributions", SoCG 2004).  Of all else, its canonical form.

All sums are of whole numbers, and no logarithm is a library's: replicas on different machines must
mark alike.  How often cells hold is measured in docs/ownership.md.
"""

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from extproc.canonical import Steps, digest
from extproc.detectors.observation import EXCERPT
from extproc.detectors.subject_matter import Numbers, subject_matter
from extproc.detectors.words import words
from extproc.draw import Draw

_RUN: Final = 3
_ORDERS: Final = 3
_SHIFT: Final = np.uint32(16)
_COLUMNS: Final = 32
"""Numbers up to which they are columns of a table, each with a unit of its own."""
_FEWEST: Final = 4
_OCTAVE: Final = 16
"""Of so many columns a step of the grid is an octave; of half as many half of one."""
_POLYTOPES: Final = 6
_DIRECTIONS: Final = 16
_DIGITS: Final = 20
"""Binary digits of the largest number that count: sums of them are exact in float64."""
_NUMBERS: Final = frozenset({int, float})
_LARGEST: Final = 1e30
"""Numbers beyond it subject_matter cuts."""
_TURN: Final = 2000
"""Microseconds, about, after which others have theirs."""
_INPUT: Final = 20
"""Microseconds that an input takes, beside its parts, each of which takes about one."""
_DENSE: Final = 4
"""Binary digits of how many characters, or numbers of an array, count as a part."""
_OCTETS: Final = 3
"""Binary digits of how many octets of a tensor are a number."""
_MOST: Final = 4 * EXCERPT
"""Parts that subject_matter looks at."""


class Cells:
    """Of one key; some 3 MB."""

    def __init__(self, key: Draw) -> None:
        odd = np.frombuffer(key.child(b"orders").octets(4 * (_RUN + 2 * _ORDERS)), "<u4") | 1
        self._letters = odd[:_RUN].astype(np.uint32)
        self._turns, self._times = odd[_RUN:].astype(np.uint32).reshape(2, _ORDERS, 1)
        size = _POLYTOPES * _DIRECTIONS
        octets = np.frombuffer(key.child(b"directions").octets(EXCERPT * size // 8), np.uint8)
        signs = np.unpackbits(octets).reshape(EXCERPT, _POLYTOPES, _DIRECTIONS) * 2.0 - 1.0
        # Each with its opposite: the nearest corner is where most lies along.
        self._directions = np.concatenate([signs, -signs], axis=2).reshape(EXCERPT, 2 * size)
        self._offsets = key.child(b"offsets").uniform(_COLUMNS)

    def of(self, value: Any) -> bytes:
        """Of one input, as the dialect read it: at most some 70 octets.

        Raise as ``canonical`` does, where it holds neither text nor numbers.
        """
        plain = _plain(value)
        matter = subject_matter(value) if plain is None else plain
        if isinstance(matter, str):
            text = words(matter)
            return b"t" + self._first_runs(text) if text else b"t"
        if matter is None:
            return b"c" + digest(value)
        if len(matter) > _COLUMNS:
            return b"v%d:" % len(matter) + self._corners(matter)
        return b"n" + self._steps(matter)

    def all(self, values: Sequence[Any]) -> Steps[list[bytes]]:
        """Of each, in steps between which others have their turn."""
        found: list[bytes] = []
        left = _TURN
        for value in values:
            if found:  # the first has what is left of another's turn
                left -= _cost(value)
                if left <= 0:
                    yield
                    left = _TURN
            found.append(self.of(value))
        return found

    def _first_runs(self, text: bytes) -> bytes:
        padded = b"  %b " % text
        letters = np.frombuffer(padded.decode().encode("utf-32-le"), "<u4")
        runs = letters[: 1 - _RUN] * self._letters[0]
        runs += letters[1 : 2 - _RUN] * self._letters[1]
        runs += letters[2:] * self._letters[2]
        runs ^= runs >> _SHIFT
        orders = (runs ^ self._turns) * self._times
        first: npt.NDArray[np.uint32] = np.minimum.reduce(orders, axis=1)
        return first.astype("<u4").tobytes()

    def _corners(self, numbers: Numbers) -> bytes:
        _, octaves = math.frexp(float(np.abs(numbers).max()))
        whole = np.rint(numbers * math.ldexp(1.0, _DIGITS - octaves))
        off_mean = whole * len(whole) - whole.sum()
        along = off_mean @ self._directions[: len(whole)]
        corners: npt.NDArray[np.intp] = along.reshape(_POLYTOPES, -1).argmax(axis=1)
        return corners.astype(np.uint8).tobytes()

    def _steps(self, numbers: Numbers) -> bytes:
        mantissas, octaves = np.frexp(1.0 + np.abs(numbers))
        sizes = np.copysign(octaves + 2.0 * mantissas - 2.0, numbers)  # log2, in straight pieces
        step = max(_FEWEST, len(numbers)) / _OCTAVE
        return np.floor(sizes / step + self._offsets[: len(numbers)]).astype("<i2").tobytes()


def _plain(value: Any) -> Numbers | None:
    """What subject_matter makes of an array of numbers, in a third of the time; None of others."""
    if type(value) is not list or len(value) > EXCERPT or not {*map(type, value)} <= _NUMBERS:
        return None
    try:
        numbers = np.array(value, np.float64)
    except OverflowError:
        return None
    return numbers if len(value) and np.abs(numbers).max() < _LARGEST else None


def _cost(value: Any) -> int:
    """Microseconds that its cell takes, about."""
    if isinstance(value, str):
        return _INPUT + (min(len(value), EXCERPT) >> _DENSE)
    waiting, found = [value], 0
    while waiting and found < _MOST:
        each = waiting.pop()
        found += 1
        if isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, list | tuple) and each:
            if isinstance(each[0], int | float):
                found += min(len(each), EXCERPT) >> _DENSE
            else:
                waiting += each[:_MOST]
        elif isinstance(each, bytes):
            found += min(len(each) >> _OCTETS, EXCERPT) >> _DENSE
    return _INPUT + found

"""How much is in a character of a text, or in the leading digit of a number, in whole bits.

Of little text it says little: what base64, padding or noise is made of stands out all the same.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.uint8]
_OCTETS: Final = 256
_DIGITS: Final = 10
_ROUNDING: Final = 1e-9
_SMALLEST: Final = 1e-300


def of_texts(texts: Sequence[bytes]) -> Bits:
    """Shape (texts,)."""
    rows = np.repeat(np.arange(len(texts)), [len(each) for each in texts])
    octets = np.frombuffer(b"".join(texts), np.uint8)
    return _entropies(rows * _OCTETS + octets, len(texts), _OCTETS)


def of_numbers(numbers: npt.NDArray[np.float64]) -> Bits:
    """Of finite ones, shape (rows, numbers); 0 is a digit as well."""
    sizes = np.abs(numbers)
    powers = np.floor(np.log10(np.maximum(sizes, _SMALLEST)))
    digits = np.clip(sizes / 10.0**powers, 0, _DIGITS - 1).astype(np.intp)
    rows = np.arange(len(numbers))[:, None] * _DIGITS
    return _entropies((rows + digits).ravel(), len(numbers), _DIGITS)


def _entropies(places: Any, count: int, symbols: int) -> Bits:
    """Shannon's, of the symbols that stand in each row."""
    counts = np.bincount(places, minlength=count * symbols)
    filled = np.flatnonzero(counts)
    found, rows = counts[filled], filled // symbols
    totals = np.maximum(np.bincount(rows, found, minlength=count), 1)
    each = found * np.log2(found)
    bits = np.log2(totals) - np.bincount(rows, each, minlength=count) / totals
    return np.floor(np.maximum(bits, 0) + _ROUNDING).astype(np.uint8)

"""What an entry says of an embedding, and whether it can be looked for by that.

Rule: an entry proves itself: from the key that it holds follow its cell, and all moves, so that
whoever looks needs no other secret.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import numpy as np

from extproc.canonical import at_once, digests
from extproc.draw import Draw
from extproc.errors import ClientError
from extproc.marks.entry import Entry
from extproc.marks.keeping import cell
from extproc.marks.marking import Moved
from extproc.marks.stamps import name
from extproc.prediction import Vector

_KEY: Final = 32
"""Octets."""
_SINGLE: Final = np.dtype("<f4")


def draw(key: str) -> Draw:
    """See positions.secret.  Raise ValueError where it is none."""
    octets = bytes.fromhex(key)
    if len(octets) != _KEY:
        raise ValueError("a key has 32 octets")
    return Draw(octets)


def vector(moved: Moved) -> Vector:
    """Of length 1, shape (components,).  Raise ValueError where it has none."""
    found = np.frombuffer(moved.vector, _SINGLE).astype(np.float64)
    length = float(np.linalg.norm(found)) if found.size else 0.0
    if not np.isfinite(length) or not length:
        raise ValueError("a vector of a length has finite numbers")
    scaled: Vector = found / length
    return scaled


def are_whole(moved: Moved, entry: Entry) -> bool:
    """Whether all that is said fits together."""
    try:
        vector(moved)
        own, value = draw(moved.key), msgspec.json.decode(bytes(entry.input))
        canonical = at_once(digests([*_forms(value)]))
    except (ValueError, ClientError):
        return False
    cells = {name(cell(own, each)) for each in canonical}
    return entry.cell in cells and 0.0 < moved.strength < 1.0


def _forms(value: Any) -> Iterator[Any]:
    """In which a dialect may have read it: of rows of tensors there are two, see
    marking.written.
    """
    yield value
    if isinstance(value, list) and all(map(_is_row, value)):
        yield [[named, np.array(row, "<f8").tobytes()] for named, row in value]


def _is_row(value: Any) -> bool:
    match value:
        case [_, [*row]]:
            return {*map(type, row)} <= {int, float}
        case _:
            return False

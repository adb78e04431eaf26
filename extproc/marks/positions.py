"""Where an embedding is moved, and which way, so that a copy of its model is known by it.

Rule: a few components, up or down, as a secret key says for the region of the space in which the
vector lies: vectors that are near to each other are mostly moved alike, so that whoever fits a
model to them learns the moves with the rest, for texts that he never asked about too.

Which components is the embedding's own, as in ESpeW (Wang et al., "Robust and Minimally Invasive
Watermarking for EaaS", ACL 2025), and by regions of the space, as in SemMark (Li et al., 2025) and
RegionMarker (Yang et al., 2025).  Other than there, all vectors are marked, and there is no target
that all are drawn to, and hence none to be found by clustering (Shetty et al., "WARDEN", ACL 2024);
and each sign is a coin of its own, which makes the test of spaces.py exact.

A region is the nearest corner of a cross-polytope in 16 random directions (Terasawa and Tanaka,
WADS 2007), of which four are laid over each other.  It is read off the first 64 components, and the
signs are drawn in the order of components, so that a vector that was cut short, as Matryoshka
embeddings are, is marked as its whole was.  Sums are of whole numbers: replicas on different
machines must mark alike.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.draw import Draw
from extproc.prediction import Vector

Moves = npt.NDArray[np.int8]
Corners = npt.NDArray[np.intp]

POLYTOPES: Final = 4
CORNERS: Final = 32
"""Of each: one at either end of 16 directions."""
HEAD: Final = 64
"""Components that a region is read off."""
MOST: Final = 4096
"""Components that are moved; what is behind them stays."""
_UP: Final = 13
"""Of 256: a component is moved up in so many regions, and down in as many; a tenth in all."""
_DIGITS: Final = 20
"""Binary digits of the largest component that count: sums of them are exact in float64."""
_KEPT: Final = 32
_EACH: Final = np.arange(POLYTOPES)


@dataclass(frozen=True, slots=True, eq=False)
class Positions:
    """Of one key, for vectors of so many dimensions; at most half a megabyte."""

    directions: Vector
    """Shape (head, directions of all polytopes): ones, up or down."""
    moves: Moves
    """Shape (polytopes, corners, dimensions): 1 up, -1 down, 0 not at all."""

    def corners(self, values: Vector) -> Corners:
        """Shape (polytopes,): the region of values, shape (dimensions,), finite."""
        head = values[: len(self.directions)]
        _, octaves = np.frexp(np.maximum.reduce(np.abs(head)))
        whole = np.rint(np.ldexp(head, _DIGITS - octaves))
        along = ((whole * whole.size - np.add.reduce(whole)) @ self.directions).reshape(
            POLYTOPES, -1
        )
        nearest = np.abs(along).argmax(axis=1)
        backwards = along[_EACH, nearest] < 0
        corners: Corners = nearest + (CORNERS // 2) * backwards
        return corners

    def of(self, values: Vector) -> Moves:
        """How far, in steps that are the same for all components, and mostly 0."""
        moved: Moves = np.add.reduce(self.moves[_EACH, self.corners(values)], axis=0, dtype=np.int8)
        return moved


def positions(key: Draw, dimensions: int) -> Positions:
    """``key``: of the key epoch, the cohort, or the tenant where it has none, and the model."""
    return drawn(secret(key), min(dimensions, MOST))


def secret(key: Draw) -> Draw:
    """All that positions are drawn from, which may be shown without showing other marks."""
    return key.child(b"positions")


@lru_cache(maxsize=_KEPT)
def drawn(key: Draw, dimensions: int) -> Positions:
    """``key``: see secret; ``dimensions``: at most MOST."""
    head, width = min(dimensions, HEAD), POLYTOPES * CORNERS // 2
    octets = np.frombuffer(key.child(b"directions").octets(head * width // 8), np.uint8)
    directions = np.unpackbits(octets).reshape(head, width).astype(np.float64) * 2.0 - 1.0
    size = dimensions * POLYTOPES * CORNERS
    drawn = np.frombuffer(key.child(b"moves").octets(size), np.uint8)
    ordered = np.ascontiguousarray(drawn.reshape(dimensions, -1).T)
    moves = (ordered < _UP).astype(np.int8) - ((ordered >= _UP) & (ordered < 2 * _UP))
    return Positions(directions, moves.astype(np.int8).reshape(POLYTOPES, CORNERS, dimensions))

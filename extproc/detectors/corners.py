"""Which of some random directions a vector points to most: four bands of 16 bits, which meet where
two vectors are nearly alike.

Rule: each half of a band is the nearest of the 32 corners of a cross-polytope, in 16 directions of
its own that only the key knows.  Small edits of one input meet in two bands of five, other inputs
on the same topic in one of twenty; as many signs of single planes (Charikar, STOC 2002) would tell
them apart less well.

Sources: Terasawa and Tanaka, "Spherical LSH for approximate nearest neighbor search on unit
hypersphere", WADS 2007; Andoni, Indyk, Laarhoven, Razenshteyn and Schmidt, "Practical and optimal
LSH for angular distance", NIPS 2015; directions of signs alone do as well (Achlioptas, "Database-
friendly random projections", JCSS 2003).
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.detectors.observation import EXCERPT
from extproc.draw import Draw

_BANDS: Final = 4
_HALVES: Final = 2 * _BANDS
_DIRECTIONS: Final = 16
_OPPOSITE: Final = np.uint16(_DIRECTIONS)
_ALL: Final = _HALVES * _DIRECTIONS
_WIDEST: Final = EXCERPT
_OCTET: Final = np.uint16(8)
_UNEVEN: Final = 1 << 13


class Corners:
    def __init__(self, key: Draw) -> None:
        octets = np.frombuffer(key.child(b"corners").octets(_WIDEST * _ALL // 8), np.uint8)
        signs = np.unpackbits(octets).reshape(_WIDEST, _ALL)
        # Of none as long as another: vectors of whole numbers lie between two directions exactly.
        lengths = 1 + np.arange(_ALL, dtype=np.float32) / _UNEVEN
        self._directions = (signs.astype(np.float32) * 2 - 1) * lengths

    def nearest(self, vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.uint64]:
        """Band beside band, shape (vectors,), of vectors of at most EXCERPT numbers."""
        along = vectors @ self._directions[: vectors.shape[1]]
        along = along.reshape(len(vectors), _HALVES, _DIRECTIONS)
        most = np.abs(along).argmax(axis=2)
        backwards = np.take_along_axis(along, most[:, :, None], axis=2)[:, :, 0] < 0
        corners = most.astype(np.uint16) + _OPPOSITE * backwards
        bands: npt.NDArray[np.uint16] = corners[:, ::2] << _OCTET | corners[:, 1::2]
        made: npt.NDArray[np.uint64] = bands.astype("<u2").view("<u8")[:, 0]
        return made

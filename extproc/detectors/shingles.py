"""Which of a text's runs of three letters come first in some random orders: four bands of 16 bits,
which meet where two texts have nearly all such runs in common.

Rule: each band is made of the first runs of four orders that only the key knows.  Two texts have
the same first run as often as their runs in common are of all that either has (Jaccard's index), so
that they share a band as often as the fourth power of it: an edit of one word in four bands of
nine, another text on the same topic in one of a hundred, any other in one of ten thousand.  The
corners of ``corners.py`` tell texts apart less well: of edits one in three, of a topic one in
fifty.  Letters are those of any script.

Sources: Broder, "On the resemblance and containment of documents", SEQUENCES 1997; Indyk and
Motwani, "Approximate nearest neighbors", STOC 1998 (bands); Dietzfelbinger et al., "A reliable
randomized algorithm for the closest-pair problem", Journal of Algorithms, 1997 (multiply-shift).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.draw import Draw

_RUN: Final = 3
_BANDS: Final = 4
_ORDERS: Final = 4
"""Of a band."""
_ALL: Final = _BANDS * _ORDERS
_END: Final = ord("\n")
"""No word has it; see words.py."""
_LAST: Final = np.uint32(0xFFFFFFFF)
_HALF: Final = np.uint32(16)


class Shingles:
    def __init__(self, key: Draw) -> None:
        octets = key.child(b"shingles").octets(4 * (_RUN + 3 * _ALL))
        odd = np.frombuffer(octets, "<u4").astype(np.uint32) | np.uint32(1)
        self._letters = odd[:_RUN]
        self._turns, self._times, self._mixing = odd[_RUN:].reshape(3, _ALL, 1)

    def bands(self, texts: Sequence[bytes]) -> npt.NDArray[np.uint64]:
        """Band beside band, of texts as ``words`` makes them; shape (texts,)."""
        joined = b" %b \n" % b" \n ".join(texts)
        letters = np.frombuffer(joined.decode().encode("utf-32-le"), "<u4")
        runs = self._runs(letters)
        ends = np.flatnonzero(letters == _END)
        starts = np.concatenate([[0], ends[:-1] + 1])
        orders = (runs ^ self._turns) * self._times
        for before in range(_RUN):
            orders[:, (ends - before)[ends - before < len(runs)]] = _LAST
        first = np.minimum.reduceat(orders, starts, axis=1) * self._mixing
        bands = first.reshape(_BANDS, _ORDERS, len(texts)).sum(1, dtype=np.uint32) >> _HALF
        made: npt.NDArray[np.uint64] = np.ascontiguousarray(bands.T, "<u2").view("<u8")[:, 0]
        return made

    def _runs(self, letters: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        """One number for each run, as good as random."""
        runs: npt.NDArray[np.uint32] = letters[: 1 - _RUN] * self._letters[0]
        runs += letters[1 : 2 - _RUN] * self._letters[1]
        runs += letters[2:] * self._letters[2]
        runs ^= runs >> _HALF
        return runs

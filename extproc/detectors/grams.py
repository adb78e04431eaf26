"""What texts are made of: runs of two to five octets, in 1,024 buckets that only the key knows.

Rule: many texts are taken apart at once, and each comes out as it would alone.

Simple tabulation hashing (Carter and Wegman, "Universal classes of hash functions", JCSS 1979;
Patrascu and Thorup, "The power of simple tabulation hashing", JACM 2012) of signed buckets
(Weinberger et al., "Feature hashing for large scale multitask learning", ICML 2009).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.draw import Draw

BUCKETS: Final = 1024
SHORTEST: Final = 2
LONGEST: Final = 5
_LENGTHS: Final = np.arange(SHORTEST, LONGEST + 1)[:, None]
_BUCKET: Final = np.uint16(BUCKETS - 1)
_SIGN: Final = np.uint16(BUCKETS)

Matrix = npt.NDArray[np.float32]


class Grams:
    def __init__(self, key: Draw) -> None:
        octets = key.child(b"grams").octets(2 * 256 * LONGEST)
        self._table = np.frombuffer(octets, "<u2").reshape(LONGEST, 256)

    def of(self, texts: Sequence[bytes]) -> Matrix:
        """How many are in each bucket, less those of the other sign; the square root of it.

        Shape (texts, BUCKETS).
        """
        padded = [b" %b " % each for each in texts]
        octets = np.frombuffer(b"".join(padded), np.uint8)
        lengths = np.fromiter(map(len, padded), np.intp, len(padded))
        left = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(octets))
        rows = np.repeat(np.arange(len(texts)) * BUCKETS, lengths)
        hashed = self._hashed(octets)
        inside = left >= _LENGTHS
        outside = len(texts) * BUCKETS
        places = np.where(inside, rows + (hashed & _BUCKET), outside).ravel()
        signs = np.where(hashed & _SIGN, -1.0, 1.0).ravel()
        sums = np.bincount(places, signs, outside + 1)[:outside].astype(np.float32)
        made = np.abs(sums)
        np.copysign(np.sqrt(made, out=made), sums, out=made)
        return made.reshape(len(texts), BUCKETS)

    def _hashed(self, octets: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16]:
        """Of the runs of each length that begin at each octet; shape (lengths, octets)."""
        hashed = np.zeros((len(_LENGTHS), len(octets)), np.uint16)
        last = self._table[0][octets]
        for longer in range(1, LONGEST):
            last = last[:-1] ^ self._table[longer][octets[longer:]]
            hashed[longer - 1, : len(last)] = last
        return hashed

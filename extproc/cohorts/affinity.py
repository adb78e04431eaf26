"""What one caller asks of together, and what it does not: topics, as cells of the input space.

Rule: of two cells, how much more often benign callers ask of both than chance has it, in nats
(pointwise mutual information: Church and Hanks, "Word association norms, mutual information, and
lexicography", Computational Linguistics, 1990).  A caller whose queries fall into cells that nobody
asks of together has no topic; few queries tell that, long before a cell is asked of twice.  It is
no evidence by itself, but what callers of a group are compared by.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.detectors.detector import Counters

INCOHERENCE: Final = "incoherence"
"""What it is called beside the evidence of detectors."""
_CHANCE: Final = 0.1
"""Of pairs of queries that are drawn by chance, among those that are learnt from."""
_PER_NAT: Final = 16
_MOST: Final = 127

Affinity = npt.NDArray[np.float64]
"""Shape (cells, cells)."""


def learnt(lives: Sequence[Counters]) -> bytes:
    """From how many distinct queries of each benign caller fell into each cell, each of shape
    (cells,), of which there are some: an octet for each pair of cells.
    """
    pairs = np.zeros((lives[0].size, lives[0].size))
    for counts in lives:
        total = float(counts.sum())
        if total > 1:
            pairs += (np.outer(counts, counts) - np.diag(counts)) / (total * (total - 1))
    pairs = pairs.clip(0.0) / max(float(pairs.sum()), 1e-9)
    share = pairs.sum(axis=1) + 1e-6
    chance = np.outer(share, share)
    told = np.log((pairs + _CHANCE * chance) / ((1 + _CHANCE) * chance))
    return bytes(np.rint(told * _PER_NAT).clip(-_MOST, _MOST).astype(np.int8).tobytes())


def read(octets: bytes) -> Affinity:
    """Raise ValueError where ``learnt`` has not written it."""
    cells = int(len(octets) ** 0.5)
    if cells * cells != len(octets):
        raise ValueError("affinities are of as many cells as cells")
    return np.frombuffer(octets, np.int8).reshape(cells, cells) / np.float64(_PER_NAT)


def incoherence(cells: Counters, affinity: Affinity) -> float:
    """Of how many distinct queries fell into each cell: how little they have to do with each other,
    in nats; 0 of none.
    """
    counts = cells.astype(np.float64)
    told = counts @ affinity @ counts - counts @ np.diagonal(affinity)
    return float(-told / 2)

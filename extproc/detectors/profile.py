"""What is kept of one caller: the counters of all detectors, and what it has asked before.

Rule: at most 4 KiB, whatever it asks.  Counters are as of the time of the latest exchange: an older
one counts less, by the half-life, whenever it comes (forward decay: Cormode, Shkapenyuk,
Srivastava and Xu, "Forward Decay", ICDE 2009), so that profiles do not depend on the order of
exchanges, and those of replicas add up.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.detectors.detector import Counters, Detector
from extproc.detectors.features import Features

MOST: Final = 4096
"""Bytes."""
ASKED: Final = 1024
"""Bytes of it, a bit for each digest that was seen."""
_BITS: Final = np.uint64(ASKED * 8 - 1)
_FULL: Final = ASKED * 4
"""Bits set above which all are forgotten: of a new query every second would pass for asked."""

Asked = npt.NDArray[np.uint8]
"""Shape (ASKED,)."""


class Layout:
    """Where each detector's counters are.  Raise ValueError where they have no room."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self.detectors = tuple(detectors)
        self.parts: dict[str, slice] = {}
        start = 0
        for each in detectors:
            self.parts[each.name] = slice(start, start + each.size)
            start += each.size
        self.size = start
        if 4 * start + ASKED + 16 > MOST:
            raise ValueError(f"{start} counters are more than a profile of {MOST} bytes holds")

    def count(self, counters: Counters, features: Features, weight: float) -> None:
        """Add an exchange, of which no query was asked before; shape (size,), in place."""
        for each in self.detectors:
            each.count(counters[self.parts[each.name]], features, weight)

    def evidence(self, counters: Counters) -> dict[str, float]:
        """Of each detector, in nats."""
        return {
            each.name: each.evidence(counters[self.parts[each.name]]) for each in self.detectors
        }


class Decay:
    def __init__(self, half_life: float) -> None:
        """Seconds after which what was counted counts half."""
        self._rate = np.log(2) / half_life

    def factor(self, seconds: float) -> float:
        """What counts that is so old."""
        return float(np.exp(-self._rate * seconds)) if seconds > 0 else 1.0


def fresh(asked: Asked, digests: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Which queries have not been asked before, nor before in the same exchange; shape (queries,).

    Marks them as asked.  Some new ones pass for asked, of those that have a bit in common: at most
    every second.
    """
    once = np.zeros(len(digests), np.bool_)
    for number, place in enumerate((digests & _BITS).tolist()):  # of the few, sooner than at once
        octet, bit = place >> 3, 1 << (place & 7)
        seen = int(asked[octet])
        if not seen & bit:
            once[number] = True
            asked[octet] = seen | bit
    if once.any() and int(np.bitwise_count(asked.view(np.uint64)).sum()) > _FULL:
        asked[:] = 0
    return once

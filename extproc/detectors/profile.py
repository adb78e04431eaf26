"""What is kept of one caller: the counters of all detectors, and what it has asked before.

Rule: at most 4 KiB, whatever it asks.  Counters are as of the time of the latest exchange: an older
one counts less, by the half-life, whenever it comes (forward decay: Cormode, Shkapenyuk,
Srivastava and Xu, "Forward Decay", ICDE 2009), so that profiles do not depend on the order of
exchanges, and those of replicas add up.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.detectors.detector import Counters, Detector, Onlooker
from extproc.detectors.features import Features
from extproc.detectors.likelihood import Nats

MOST: Final = 4096
"""Bytes."""
ASKED: Final = 1024
"""Bytes of it, a bit for each digest that was seen."""
_OCTETS: Final = ASKED - 1
_FULL: Final = ASKED * 4
"""Bits set above which all are forgotten: of a new query every second would pass for asked."""

Asked = npt.NDArray[np.uint8]
"""Shape (ASKED,)."""


class Layout:
    """Where each detector's counters are.  Raise ValueError where they have no room."""

    def __init__(self, detectors: Sequence[Detector], onlookers: Sequence[Onlooker] = ()) -> None:
        self.detectors, self.onlookers = tuple(detectors), tuple(onlookers)
        self.parts: dict[str, slice] = {}
        start = 0
        for each in detectors:
            self.parts[each.name] = slice(start, start + each.size)
            start += each.size
        self._counts = [(each.count, self.parts[each.name]) for each in detectors]
        self.size = start
        if 4 * start + ASKED + 16 > MOST:
            raise ValueError(f"{start} counters are more than a profile of {MOST} bytes holds")

    @property
    def names(self) -> tuple[str, ...]:
        """Of all who have evidence, in its order."""
        return (*self.parts, *(each.name for each in self.onlookers))

    def count(self, counters: Counters, features: Features, weight: float) -> None:
        """Add an exchange, of which no query was asked before; shape (size,), in place."""
        tally = counters.data.cast("B").cast("f")
        for count, part in self._counts:
            count(tally[part], features, weight)

    def evidence(self, counters: Counters) -> dict[str, float]:
        """Of each detector and onlooker, in nats, by what was counted of one caller."""
        return dict(zip(self.names, self.evidences(counters[None])[0].tolist(), strict=True))

    def evidences(self, counters: Counters) -> Nats:
        """The same of many callers, shape (callers, size): of sixteen at once it takes a tenth of
        the time of one after the other.  Shape (callers, names).
        """
        nats = np.empty((len(counters), len(self.detectors) + len(self.onlookers)))
        for number, each in enumerate(self.detectors):
            nats[:, number] = each.evidence(counters[:, self.parts[each.name]])
        for number, onlooker in enumerate(self.onlookers, len(self.detectors)):
            nats[:, number] = onlooker.evidence(counters)
        return nats


class Decay:
    def __init__(self, half_life: float) -> None:
        """Seconds after which what was counted counts half."""
        self._rate = math.log(2) / half_life

    def factor(self, seconds: float) -> float:
        """What counts that is so old."""
        return math.exp(-self._rate * seconds) if seconds > 0 else 1.0


def fresh(asked: Asked, digests: npt.NDArray[np.uint64]) -> list[bool]:
    """Whether each query has not been asked before, nor before in the same exchange.

    Marks them as asked.  Some new ones pass for asked, of those that have a bit in common: at most
    every second.
    """
    once, octets = [], asked.data
    for digest in digests.tolist():  # of the few, sooner than at once
        place, bit = digest >> 3 & _OCTETS, 1 << (digest & 7)
        seen = octets[place]
        once.append(not seen & bit)
        octets[place] = seen | bit
    if any(once) and int.from_bytes(octets, "little").bit_count() > _FULL:
        asked[:] = 0
    return once

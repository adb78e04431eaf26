"""What a calibration knows, that cohorts are judged by."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from extproc.cohorts.affinity import INCOHERENCE, incoherence, read
from extproc.cohorts.usual import Usual, undecayed
from extproc.detectors.detector import Counters
from extproc.detectors.profile import Layout

COVERAGE = "coverage"
"""The detector whose counters are how many distinct queries fell into each cell."""


class Knowledge(Struct, frozen=True, eq=False):
    layout: Layout
    base: npt.NDArray[np.float64]
    """The reference's shares of the cells, shape (cells,)."""
    threshold: float
    """In nats, that of the traffic class which reaches most."""
    usual: Mapping[str, Usual] = {}
    """By traffic class; callers of another are in no group."""
    discounts: Mapping[str, float] = {}
    """Nats by detector, the most that any class takes off."""

    def fresh(self, traffic: str, counters: Counters, queries: float) -> dict[str, float]:
        """What is compared with the usual evidence of a class that is known, by its name."""
        counted = undecayed(counters, self.cells(counters), queries)
        found = self.layout.evidence(counted)
        if octets := self.usual[traffic].affinity:
            part = self.layout.parts.get(COVERAGE, slice(0, 0))
            found[INCOHERENCE] = incoherence(counted[part], read(octets))
        return found

    def cells(self, counters: Counters) -> npt.NDArray[np.float32]:
        """How many distinct queries fell into each cell, shape (cells,); no reference, no cells."""
        part = self.layout.parts.get(COVERAGE, slice(0, 0))
        return counters[part][: len(self.base)]

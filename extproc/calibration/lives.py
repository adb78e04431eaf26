"""What a client's exchanges come to: the evidence after every query of its life.

Rule: they are counted as the sidecar counts them, one after the other, into a profile that begins
empty.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.calibration.thresholds import Course
from extproc.detectors.detector import Counters
from extproc.detectors.features import Features
from extproc.detectors.profile import ASKED, Decay, Layout
from extproc.detectors.repeats import unrepeated

_AT_ONCE: Final = 256
"""Exchanges whose evidence is reckoned together."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Those who watch."""

    layout: Layout
    decay: Decay
    apart: bool = False
    """Whether what is asked again has been set apart of the exchanges already."""

    @property
    def names(self) -> tuple[str, ...]:
        return self.layout.names

    def profiles(self, exchanges: Iterable[Features]) -> Iterator[Counters]:
        """The counters after each exchange of one client, by time: one array, which changes."""
        counters = np.zeros(self.layout.size, np.float32)
        asked = np.zeros(ASKED, np.uint8)
        latest = math.inf
        for each in exchanges:
            counters *= np.float32(self.decay.factor(each.time - latest))
            latest = each.time
            new = each if self.apart else unrepeated(asked, each)
            self.layout.count(counters, new, 1.0)
            yield counters

    def course(self, exchanges: Iterable[Features]) -> Course:
        """The evidence after each exchange."""
        profiles = self.profiles(exchanges)
        found = [np.zeros((0, len(self.names)), np.float32)]
        while some := [own.copy() for own in islice(profiles, _AT_ONCE)]:
            found.append(self.layout.evidences(np.array(some)).astype(np.float32))
        return np.concatenate(found)

    def counted(self, exchanges: Iterable[Features]) -> npt.NDArray[np.float32]:
        """The counters after each exchange, shape (exchanges, counters)."""
        found = [counters.copy() for counters in self.profiles(exchanges)]
        return np.array(found, np.float32).reshape(len(found), self.layout.size)

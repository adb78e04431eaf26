"""What a detector is: counters that only ever add up, and what they say.

Rule: what is counted of an exchange depends on nothing but that exchange.  So counters do not
depend on the order of exchanges, those of two replicas merge by addition, and time lets them decay
by multiplication.
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from extproc.detectors.features import Features
from extproc.detectors.likelihood import Nats

Counters = npt.NDArray[np.float32]
"""Shape (size,): a detector's own part of a profile."""


class Tally(Protocol):
    """The same to count with: a ``memoryview``, which takes less time than an array where a few
    counters of many change.
    """

    def __getitem__(self, place: int, /) -> float: ...

    def __setitem__(self, place: int, value: float, /) -> None: ...


class Detector(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def size(self) -> int:
        """How many counters it has."""
        ...

    def count(self, counters: Tally, features: Features, weight: float) -> None:
        """Add what an exchange counts for, times ``weight``, in place.

        ``features`` hold no query that this caller has asked before.
        """
        ...

    def evidence(self, counters: Counters) -> Nats:
        """Natural logarithm of an e-value for "this copies a model" against "this uses it": of
        expectation 1 at most where it is used as the reference was; -inf where it says nothing.

        Of counters of many profiles, shape (..., size); shape (...).
        """
        ...


class Onlooker(Protocol):
    """Who counts nothing, and judges by what all detectors have counted."""

    @property
    def name(self) -> str: ...

    def evidence(self, counters: Counters) -> npt.NDArray[np.float64]:
        """As a detector's, of all counters of each profile; shape (...) of (..., counters)."""
        ...

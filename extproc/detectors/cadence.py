"""When requests come: round the clock, more evenly than chance, and again at once when refused.

People sleep, and what they ask comes in bursts; a program that copies a model asks at the rate that
it is allowed, day and night, and tries again while it is limited.  Batch jobs, probes and clients
after an outage do so too, so that each of these says little, however long it lasts.

Sources: Fisher, "The significance of deviations from expectation in a Poisson series", Biometrics,
1950 (the index of dispersion); Juuti, Szyller, Marchal and Asokan, "PRADA", EuroS&P 2019 (attacks
ask thousands of queries by program).
"""

import math
from typing import Final

import numpy as np

from extproc.detectors.detector import Counters, Tally
from extproc.detectors.features import Features
from extproc.detectors.likelihood import Dirichlet, Evenness, Nats, Ratios, average, places

SLOTS: Final = 96
"""Quarters of an hour of a day, in UTC."""
_QUARTER: Final = 900
_LIMITED: Final = SLOTS
_OTHER: Final = SLOTS + 1
_EVEN: Final = 384.0
"""Concentration of what comes at one rate all day."""
_PERIODIC: Final = 0.25
"""Of the variance of chance what a timer leaves."""
_FULL: Final = 8.0
"""Requests a slot from which on their variance is that of a normal distribution."""
_RETRYING: Final = (4.0, 2.0)
"""Beta distribution of the share that is limited, of who does not wait."""


class Cadence:
    """Counters: requests by slot; those that a limit refused, and all others."""

    name = "cadence"
    size = SLOTS + 2

    def __init__(
        self,
        evenness: float = 24.0,
        limited: tuple[float, float] = (0.3, 6.0),
        most: float = 4.0,
    ) -> None:
        """``evenness``: concentration, as a Dirichlet distribution over the slots, of ordinary
        callers; ``limited``: their Beta distribution of the share of requests that a limit refuses;
        ``most``: nats that each of three signs speaks for at most.
        """
        self._slots = Evenness(SLOTS, (_EVEN,), evenness)
        retrying = Dirichlet(places(_LIMITED, self.size), _RETRYING, limited)
        self._retrying, self._most = Ratios(self.size, [retrying]), most

    def count(self, counters: Tally, features: Features, weight: float) -> None:
        counters[int(features.time // _QUARTER) % SLOTS] += weight
        counters[_LIMITED if features.outcome == "limited" else _OTHER] += weight

    def evidence(self, counters: Counters) -> Nats:
        slots = counters[..., :SLOTS]
        signs = (self._slots.ratios(slots), _regular(slots), self._retrying.of(counters))
        found = average(np.minimum(np.concatenate(signs, axis=-1), self._most))
        return np.where(counters[..., SLOTS:].sum(axis=-1) < _FULL, -np.inf, found)


def _regular(slots: Counters) -> Nats:
    """Of counts that differ by less than chance from one rate all day; 0 where they are few.

    Shape (..., 1).
    """
    mean = slots.sum(axis=-1, dtype=np.float64, keepdims=True) / SLOTS
    # What decays counts with a variance of half its mean, so deviations are taken twice.
    squares = np.square(slots - mean.astype(np.float32)).sum(axis=-1, keepdims=True)
    deviation = 2.0 * squares / np.maximum(mean, _FULL)
    found = 0.5 * (deviation * (1.0 - 1.0 / _PERIODIC) - (SLOTS - 1) * math.log(_PERIODIC))
    return np.where(mean < _FULL, 0.0, found)

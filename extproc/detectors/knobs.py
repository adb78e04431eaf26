"""Requests that try what the API will tell: raw scores, log probabilities, biases, models.

An application asks for the same fields each time, or never; who looks for a leak tries one after
the other.  For each field the share of requests that have it is drawn, for ordinary callers, from a
Beta distribution that is near 0 or near 1; from a wide one for those that probe.  Refusals count
too, and models asked one after the other, above all such as do not exist.

Sources: Carlini et al., "Stealing part of a production language model", ICML 2024 (biases and log
probabilities); Finlayson, Ren and Swayamdipta, "Logits of API-protected LLMs leak proprietary
information", COLM 2024.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from extproc.detectors.detector import Counters
from extproc.detectors.features import KNOBS, MODELS, Features
from extproc.detectors.likelihood import Share, Shares, average

USUAL_KNOBS: Final = (
    *(0.05, 0.05, 0.002, 0.05),  # log probabilities, alternatives, biases, choices
    *(0.05, 0.005, 0.002, 0.3),  # seed, echo, raw scores, temperature
    *(0.01,) * (KNOBS - 8),  # thresholds, explanations, token ids
)
"""Of ordinary callers the share that use each; see dialects/knobs.py for their order."""
USUAL_MODELS: Final = (0.05,) * MODELS
"""Dirichlet distribution of the models that they ask: one or two."""

REQUESTS: Final = KNOBS + MODELS
_UNKNOWN: Final = REQUESTS - 1
_REFUSED: Final = REQUESTS + 1
_ALL: Final = (1 << np.arange(KNOBS)).tolist()
_PROBING: Final = (0.7, 0.7)
_STEADY: Final = 0.5
"""Concentration of the share of requests in which an ordinary caller uses a field."""
_ENUMERATING: Final = (1.0,) * MODELS
_GUESSING: Final = (1.0, 2.0)
_KNOWING: Final = (0.01, 1.0)
"""Beta distributions of the share of models that do not exist."""
_REFUSING: Final = (2.0, 2.0)
_TOGETHER: Final = ((0, 1), (2,), (3,), (4, 7), (5,), (6,), tuple(range(8, KNOBS)))
"""Fields that one caller uses or does not: groups of them are independent."""
_TRIED: Final = 0.2
"""Of the groups how many a caller tries that tries some."""
_MOST: Final = 300.0
_FEWEST: Final = 4.0
"""Requests below which nothing is said."""


class Knobs:
    """Counters: requests by field, by model, all of them, and those refused for what they were."""

    name = "knobs"
    size = KNOBS + MODELS + 2

    def __init__(
        self,
        knobs: Sequence[float] = USUAL_KNOBS,
        models: Sequence[float] = USUAL_MODELS,
        refused: tuple[float, float] = (0.1, 3.0),
    ) -> None:
        """Of ordinary callers: the share that use each field, each below 1; the parameters of the
        Dirichlet distribution of their models, and of the Beta distribution of refusals.
        """
        usual = [(share * _STEADY, (1.0 - share) * _STEADY) for share in knobs]
        self._knobs = [Share(_PROBING, each) for each in usual]
        self._models, self._unknown = Shares(_ENUMERATING, models), Share(_GUESSING, _KNOWING)
        self._refused = Share(_REFUSING, refused)

    def count(self, counters: Counters, features: Features, weight: float) -> None:
        if features.knobs:
            for place, bit in enumerate(_ALL):
                if features.knobs & bit:
                    counters[place] += weight
        counters[KNOBS + features.model] += weight
        counters[REQUESTS] += weight
        if features.outcome == "refused":
            counters[_REFUSED] += weight

    def evidence(self, counters: Counters) -> float:
        counts = counters.tolist()
        requests = counts[REQUESTS]
        if requests < _FEWEST:
            return -math.inf
        models, unknown, refused = counts[KNOBS:REQUESTS], counts[_UNKNOWN], counts[_REFUSED]
        return average(
            [
                self._of_knobs(counts[:KNOBS], requests),
                self._models.ratio(models),
                self._unknown.ratio(unknown, _rest(unknown, requests)),
                self._refused.ratio(refused, _rest(refused, requests)),
            ]
        )

    def _of_knobs(self, used: Sequence[float], requests: float) -> float:
        """Of some groups of fields that are tried, one after the other.

        What is not used speaks against it, and is taken to do so as much as it can.
        """
        nats = 0.0
        for group in _TOGETHER:
            tried = [self._knob(at, used[at], requests) for at in group if used[at]]
            nats += math.log(1.0 - _TRIED + _TRIED * math.fsum(tried) / len(group))
        return nats

    def _knob(self, place: int, count: float, requests: float) -> float:
        return math.exp(min(_MOST, self._knobs[place].ratio(count, _rest(count, requests))))


def _rest(count: float, requests: float) -> float:
    """Not negative, as the sums of fractions may be."""
    return max(0.0, requests - count)

"""Requests that try what the API will tell: raw scores, log probabilities, biases, models.

An application asks for the same fields each time, or never; who looks for a leak tries one after
the other.  For each field the share of requests that have it is drawn, for ordinary callers, from a
Beta distribution that is near 0 or near 1; from a wide one for those that probe.  Refusals count
too, and models asked one after the other, above all such as do not exist.

Sources: Carlini et al., "Stealing part of a production language model", ICML 2024 (biases and log
probabilities); Finlayson, Ren and Swayamdipta, "Logits of API-protected LLMs leak proprietary
information", COLM 2024.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from extproc.detectors.detector import Counters, Tally
from extproc.detectors.features import KNOBS, MODELS, Features
from extproc.detectors.likelihood import Dirichlet, Nats, Ratios, average, places

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
_GROUPS: Final = np.zeros((KNOBS, len(_TOGETHER)))
for _number, _group in enumerate(_TOGETHER):
    _GROUPS[_group, _number] = 1.0 / len(_group)
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
        self._ratios = Ratios(
            self.size,
            [
                *(Dirichlet(_of_all(at), _PROBING, each) for at, each in enumerate(usual)),
                Dirichlet(places(KNOBS, REQUESTS), _ENUMERATING, models),
                Dirichlet(_of_all(_UNKNOWN), _GUESSING, _KNOWING),
                Dirichlet(_of_all(_REFUSED), _REFUSING, refused),
            ],
        )

    def count(self, counters: Tally, features: Features, weight: float) -> None:
        if features.knobs:
            for place, bit in enumerate(_ALL):
                if features.knobs & bit:
                    counters[place] += weight
        counters[KNOBS + features.model] += weight
        counters[REQUESTS] += weight
        if features.outcome == "refused":
            counters[_REFUSED] += weight

    def evidence(self, counters: Counters) -> Nats:
        ratios = self._ratios.of(counters)
        each = (_of_knobs(counters, ratios), ratios[..., KNOBS:])
        found = average(np.concatenate(each, axis=-1))
        return np.where(counters[..., REQUESTS] < _FEWEST, -np.inf, found)


def _of_knobs(counters: Counters, ratios: Nats) -> Nats:
    """Of some groups of fields that are tried, one after the other; shape (..., 1).

    What is not used speaks against it, and is taken to do so as much as it can.
    """
    used, found = counters[..., :KNOBS] > 0, np.exp(np.minimum(ratios[..., :KNOBS], _MOST))
    tried = np.where(used, found, 0.0) @ _GROUPS
    nats: Nats = np.log(1.0 - _TRIED + _TRIED * tried).sum(axis=-1, keepdims=True)
    return nats


def _of_all(place: int) -> list[dict[int, float]]:
    """The requests that are counted there, and the others."""
    return [{place: 1.0}, {REQUESTS: 1.0, place: -1.0}]

"""How much evidence benign clients have when they have asked so many queries.

Rule: a client is looked at as the sidecar looks at it: at the first exchange by which it has asked
as many different queries, or more.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import numpy as np

from extproc.calibration.lives import Watch
from extproc.cohorts.usual import CHECKPOINTS, Quantiles, checkpoint, usual
from extproc.detectors.features import Features

Exchanges = Callable[[], Iterator[Features]]
"""Of one client, by time, from the first each time."""
_LAST: Final = len(CHECKPOINTS) - 1


def usual_evidence(watch: Watch, lives: Iterable[Exchanges]) -> Quantiles:
    """By detector.  Raise ValueError where there are too few clients."""
    told: dict[str, list[list[float]]] = {name: [[] for _ in CHECKPOINTS] for name in watch.names}
    for exchanges in lives:
        for at, evidence in _passed(watch, exchanges):
            for name, nats in evidence.items():
                told[name][at].append(nats)
    return usual(told).quantiles


def _passed(watch: Watch, exchanges: Exchanges) -> Iterator[tuple[int, dict[str, float]]]:
    """Each checkpoint, and the evidence there."""
    before, asked = -1, set[int]()
    for each, counters in zip(exchanges(), watch.profiles(exchanges()), strict=True):
        asked.update(np.unique(each.digests).tolist())
        at = checkpoint(len(asked))
        if at > before:
            yield at, watch.layout.evidence(counters)
            before = at
        if before == _LAST:
            return

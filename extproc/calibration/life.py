"""What one benign client asked in one traffic class, and which part of a calibration it serves."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from extproc.calibration.lives import Watch
from extproc.calibration.novelty_floor import Profiles
from extproc.calibration.parts import Index
from extproc.calibration.thresholds import Course
from extproc.detectors.features import Features

Exchange = Callable[[int, float], Features]
"""That of a row, which came at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Life:
    """Exchanges by time."""

    client: int
    exchange: Exchange
    rows: npt.NDArray[np.intp]
    times: npt.NDArray[np.float64]
    fresh: npt.NDArray[np.bool_]
    """Which hold no input that anything was learnt from, or set by."""

    def exchanges(self, some: npt.NDArray[np.bool_] | slice = slice(None)) -> Iterator[Features]:
        return map(self.exchange, self.rows[some].tolist(), self.times[some].tolist())

    def course(self, watch: Watch) -> Course:
        """Of the whole life; then of what is fresh in it, where that is less."""
        return np.concatenate([watch.course(each) for each in self._twice()])

    def counted(self, watch: Watch) -> Profiles:
        """The counters, as ``course``."""
        return np.concatenate([watch.counted(each) for each in self._twice()])

    def _twice(self) -> Iterator[Iterator[Features]]:
        yield self.exchanges()
        if not self.fresh.all():
            yield self.exchanges(self.fresh)


Lives = dict[tuple[int, int], list[Life]]
"""By class, as the index numbers them, and part."""


def lives(
    index: Index,
    found: npt.NDArray[np.int8],
    fresh: npt.NDArray[np.bool_],
    chosen: npt.NDArray[np.intp],
    exchange: Exchange,
) -> Lives:
    """Of the chosen lines of the index, whose rows ``exchange`` counts from 0; ``found`` are their
    parts, ``fresh`` as of a life, both of all lines.
    """
    whose = np.stack([index.clients[chosen], index.classes[chosen], found[chosen]])
    order = np.lexsort((index.times[chosen], *whose))
    whose = whose[:, order]
    starts = np.flatnonzero(np.any(whose[:, 1:] != whose[:, :-1], axis=0)) + 1
    made: Lives = {}
    for rows in np.split(order, starts) if len(order) else ():
        lines = chosen[rows]
        client, where = int(index.clients[lines[0]]), int(index.classes[lines[0]])
        life = Life(client, exchange, rows, index.times[lines], fresh[lines])
        made.setdefault((where, int(found[lines[0]])), []).append(life)
    return made

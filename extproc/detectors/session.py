"""What a caller's whole profile looks like, in a few ratios: what an isolation forest sees of it.

Rule: made of the counters of a profile alone, each number between 0 and 1 or about, so that no one
of them outweighs the others; what nothing is known of is 0.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.detectors import cadence, knobs, near_duplicate, volume
from extproc.detectors.detector import Counters
from extproc.detectors.features import KNOBS, LABELS, MARGINS, MODELS

Session = npt.NDArray[np.float32]
"""Shape (NUMBERS,)."""

NUMBERS: Final = 16
_OCCUPIED: Final = 0.5
_TIES: Final = 4
"""Buckets of margins that are next to a tie."""
_SCALE: Final = 10.0


def session(parts: Mapping[str, Counters]) -> Session:
    """Of the counters of a profile, by detector; none of a detector that is not there."""
    found = [
        *_asked(parts.get("coverage", _NONE), parts.get("volume", _NONE)),
        *_novel(parts.get("novelty", _NONE)),
        _near(parts.get("near_duplicate", _NONE)),
        *_answered(parts.get("boundary", _NONE)),
        *_timed(parts.get("cadence", _NONE)),
        *_tried(parts.get("knobs", _NONE)),
        _concentrated(parts.get("volume", _NONE)[: volume.DAYS]),
    ]
    return np.array(found, np.float32)


_NONE: Final[Counters] = np.zeros(0, np.float32)


def _asked(cells: Counters, asked: Counters) -> tuple[float, float, float, float]:
    """How many were new, of all; how many, by order of magnitude; how widely they are spread."""
    new, queries = float(cells.sum()), float(asked[: volume.DAYS].sum())
    many = float(np.log1p(queries)) / _SCALE
    occupied = float(np.count_nonzero(cells > _OCCUPIED)) / max(1, len(cells))
    return min(1.0, _share(new, queries)), many, occupied, _evenness(cells)


def _novel(counters: Counters) -> tuple[float]:
    """The mean surprise."""
    return (_share(float(counters[1:].sum()), float(counters[:1].sum())),)


def _near(counters: Counters) -> float:
    """How often two queries meet in a band."""
    return _concentrated(counters[: near_duplicate.CELLS])


def _answered(counters: Counters) -> tuple[float, float, float]:
    labels, margins = counters[:LABELS], counters[LABELS : LABELS + MARGINS]
    ties = _share(float(margins[:_TIES].sum()), float(margins.sum()))
    return _evenness(labels), ties, _evenness(counters[LABELS + MARGINS :])


def _timed(counters: Counters) -> tuple[float, float]:
    """How evenly over the day, and how often limited."""
    requests = counters[cadence.SLOTS :]
    limited = _share(float(requests[:1].sum()), float(requests.sum()))
    return _evenness(counters[: cadence.SLOTS]), limited


def _tried(counters: Counters) -> tuple[float, float, float, float]:
    """Fields, models, models that do not exist, and what was refused."""
    models, rest = counters[KNOBS : KNOBS + MODELS], counters[knobs.REQUESTS :]
    requests = float(rest[:1].sum())
    fields = _share(float(counters[:KNOBS].sum()), requests) / KNOBS
    unknown = _share(float(models[-1:].sum()), requests)
    return fields, _evenness(models), unknown, _share(float(rest[1:].sum()), requests)


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0


def _evenness(counts: Counters) -> float:
    """Entropy, of what it is at most."""
    total = float(counts.sum())
    if total <= 0:
        return 0.0
    shares = counts[counts > 0] / np.float32(total)
    return float(-(shares * np.log(shares)).sum() / np.log(len(counts)))


def _concentrated(counts: Counters) -> float:
    """How likely two of them are in the same place."""
    total = float(counts.sum())
    return float(np.square(counts / np.float32(total)).sum()) if total > 0 else 0.0

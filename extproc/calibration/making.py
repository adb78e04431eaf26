"""A calibration, from a file of benign traffic.

Rule: what is earlier is learnt from, what is later is what thresholds are set by, what is latest is
what they are tried on.  An input that stands in an earlier part is no evidence that fresh ones look
like it: lives are looked at with such queries and without, and the higher evidence counts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from extproc.calibration.lives import Watch
from extproc.calibration.novelty_floor import Profiles, strictest
from extproc.calibration.parts import LEARNT, SET, TRIED, drawn, parts, unseen
from extproc.calibration.recorded import OF_QUERIES, Progress, Recorded, inputs, read, table
from extproc.calibration.thresholds import Course, threshold
from extproc.calibration.usual_evidence import usual_evidence
from extproc.cohorts.usual import Quantiles
from extproc.detectors.calibration import Calibration, Threshold, sketching_key
from extproc.detectors.features import Features
from extproc.detectors.fitting import fit
from extproc.detectors.novelty import Novelty
from extproc.detectors.panel import panel
from extproc.detectors.profile import Decay, Layout
from extproc.detectors.reference import Reference, encode
from extproc.detectors.sketch import Sketcher
from extproc.errors import ConfigError, OperatorError

LEARNED: Final = 10_500
"""Inputs that the reference is made of, at most."""
_SEED: Final = 0
"""The same traffic makes the same calibration."""


@dataclass(frozen=True, slots=True, eq=False)
class Life:
    """Of one client in one traffic class: exchanges by time."""

    table: Features
    rows: npt.NDArray[np.intp]
    times: npt.NDArray[np.float64]
    fresh: npt.NDArray[np.bool_]
    """Which hold an input that nothing was learnt from, or set by."""

    def exchanges(self, some: npt.NDArray[np.bool_] | slice = slice(None)) -> Iterator[Features]:
        for row, time in zip(self.rows[some].tolist(), self.times[some].tolist(), strict=True):
            one = {name: getattr(self.table, name)[row : row + 1] for name in OF_QUERIES}
            yield replace(self.table, time=time, **one)

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


def calibrate(path: Path, key: bytes, half_life: float, progress: Progress) -> Calibration:
    """``key`` is the policy's ``keys.hmac``; ``half_life`` of profiles, in seconds.

    Raise ConfigError where the file is no traffic, or too little of it.
    """
    key = sketching_key(key)
    recorded = read(path, key, progress)
    if not len(recorded.index.times):
        raise ConfigError(f"{path}: no traffic; give a line for each query of benign clients")
    found = parts(recorded.index)
    reference = _learnt(recorded, found, key)
    progress("the reference is learnt")
    lives = _lives(recorded, found, Sketcher(reference, key), progress)
    decay = Decay(half_life)
    benign = [life for (_, part), some in lives.items() if part == SET for life in some]
    if not benign:
        raise ConfigError(
            f"{path}: no client is left to set a threshold by; give more clients, over more time"
        )
    novelty = Watch(Layout([Novelty()]), decay)
    floor = strictest([life.counted(novelty) for life in benign])
    progress(f"the floor of novelty is {floor}")
    watch = Watch(Layout(panel(reference, floor, half_life)), decay)
    thresholds = dict(_thresholds(recorded.classes, lives, watch, progress))
    return Calibration(
        reference=encode(reference),
        floor=floor,
        thresholds=thresholds,
        latest=float(recorded.index.times.max()),
        usual=dict(_usual(recorded.classes, lives, watch, progress)),
    )


def _learnt(recorded: Recorded, found: npt.NDArray[np.int8], key: bytes) -> Reference:
    chosen = drawn(recorded.index, found == LEARNT, LEARNED)
    try:
        return fit(inputs(recorded, chosen), key, np.random.default_rng(_SEED))
    except OperatorError as error:
        raise ConfigError(f"{recorded.path}: {error}") from error


def _lives(
    recorded: Recorded, found: npt.NDArray[np.int8], sketcher: Sketcher, progress: Progress
) -> dict[tuple[int, int], list[Life]]:
    """By class and part."""
    index, later = recorded.index, np.flatnonzero((found == SET) | (found == TRIED))
    whole = table(recorded, later, sketcher, progress)
    fresh = unseen(index, found)[later]
    whose = np.stack([index.clients[later], index.classes[later], found[later]])
    order = np.lexsort((index.times[later], *whose))
    whose = whose[:, order]
    starts = np.flatnonzero(np.any(whose[:, 1:] != whose[:, :-1], axis=0)) + 1
    lives: dict[tuple[int, int], list[Life]] = {}
    for rows in np.split(order, starts) if len(order) else ():
        life = Life(whole, rows, index.times[later[rows]], fresh[rows])
        where = int(index.classes[later[rows[0]]]), int(found[later[rows[0]]])
        lives.setdefault(where, []).append(life)
    return lives


def _thresholds(
    classes: Sequence[str],
    lives: dict[tuple[int, int], list[Life]],
    watch: Watch,
    progress: Progress,
) -> Iterator[tuple[str, Threshold]]:
    """Of each class that has clients to set it by."""
    for number, name in enumerate(classes):
        benign, others = lives.get((number, SET), []), lives.get((number, TRIED), [])
        if benign:
            set_by = [life.course(watch) for life in benign]
            yield name, threshold(watch.names, set_by, [life.course(watch) for life in others])
        progress(f"{name}: {len(benign):,} lives set its threshold, {len(others):,} try it")


def _usual(
    classes: Sequence[str],
    lives: dict[tuple[int, int], list[Life]],
    watch: Watch,
    progress: Progress,
) -> Iterator[tuple[str, Quantiles]]:
    """Of each class that has clients enough."""
    for number, name in enumerate(classes):
        benign = [life.exchanges for life in lives.get((number, SET), [])]
        try:
            yield name, usual_evidence(watch, benign)
        except ValueError as error:
            progress(f"{name}: new clients are not watched together: {error}")

"""A calibration: of a file of benign traffic, or of what was learned of it when it came.

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

from extproc.calibration import forest
from extproc.calibration.life import Life, Lives, lives
from extproc.calibration.lives import Watch
from extproc.calibration.logged import Logged
from extproc.calibration.novelty_floor import strictest
from extproc.calibration.parts import (
    GROWN,
    LEARNT,
    SET,
    TRIED,
    Index,
    drawn,
    parts,
    set_aside,
    unseen,
)
from extproc.calibration.recorded import OF_QUERIES, Progress, Recorded, inputs, read, table
from extproc.calibration.thresholds import threshold
from extproc.calibration.usual_evidence import usual_evidence
from extproc.cohorts.usual import Usual
from extproc.detectors.calibration import Calibration, Threshold, sketching_key
from extproc.detectors.features import Features
from extproc.detectors.fitting import fit
from extproc.detectors.forest import Forest
from extproc.detectors.isolation import FEWEST
from extproc.detectors.novelty import Novelty
from extproc.detectors.panel import layout
from extproc.detectors.profile import Decay, Layout
from extproc.detectors.reference import Reference, decode, encode
from extproc.detectors.sketch import Sketcher
from extproc.errors import ConfigError, OperatorError

LEARNED: Final = 10_500
"""Inputs that the reference is made of, at most."""
_SEED: Final = 0
"""The same traffic makes the same calibration."""
_HALVES: Final = (0.0, 0.5)
"""Of a log the first half sets thresholds: its reference has been learnt from other traffic."""


def calibrate(path: Path, key: bytes, half_life: float, progress: Progress) -> Calibration:
    """``key`` is the policy's ``keys.hmac``; ``half_life`` of profiles, in seconds.

    Raise ConfigError where the file is no traffic, or too little of it.
    """
    key = sketching_key(key)
    recorded = read(path, key, progress)
    index = recorded.index
    if not len(index.times):
        raise ConfigError(f"{path}: no traffic; give a line for each query of benign clients")
    found = _with_forest(index, parts(index), progress)
    reference = _learnt(recorded, found, key)
    progress("the reference is learnt")
    later = np.flatnonzero(found > LEARNT)
    whole = table(recorded, later, Sketcher(reference, key), progress)

    def exchange(row: int, time: float) -> Features:
        one = {name: getattr(whole, name)[row : row + 1] for name in OF_QUERIES}
        return replace(whole, time=time, **one)

    made = lives(index, found, unseen(index, found), later, exchange)
    maker = _Maker(str(path), recorded.classes, made, half_life, progress)
    return maker.calibration(reference, encode(reference), float(index.times.max()))


def recalibrate(
    logged: Logged, name: str, reference: bytes, half_life: float, progress: Progress
) -> Calibration:
    """Thresholds, and a forest, by what was learned under a reference, which stays as it is.

    ``name`` is what errors call the log.  Raise ConfigError where there is too little of it.
    """
    index = logged.index
    if not len(index.times):
        raise ConfigError(f"{name}: nothing was learned of anybody; give a log with detection on")
    found = _with_forest(index, parts(index, _HALVES), progress)
    later = np.flatnonzero(found > LEARNT)
    made = lives(index, found, logged.unseen(found), later, logged.exchanges(later))
    maker = _Maker(name, logged.classes, made, half_life, progress)
    return maker.calibration(decode(reference), reference, float(index.times.max()))


def _with_forest(
    index: Index, found: npt.NDArray[np.int8], progress: Progress
) -> npt.NDArray[np.int8]:
    """With clients set aside that a forest can be grown by; says so where it cannot."""
    why = forest.why_none()
    aside = found if why else set_aside(index, found, 2 * forest.FEWEST, FEWEST)
    if aside is found:
        _without(why or forest.TOO_FEW, progress)
    return aside


def _without(why: str, progress: Progress) -> None:
    progress(f"the calibration has no isolation forest: {why}")


def _learnt(recorded: Recorded, found: npt.NDArray[np.int8], key: bytes) -> Reference:
    chosen = drawn(recorded.index, found == LEARNT, LEARNED)
    try:
        return fit(inputs(recorded, chosen), key, np.random.default_rng(_SEED))
    except OperatorError as error:
        raise ConfigError(f"{recorded.path}: {error}") from error


@dataclass(frozen=True, slots=True)
class _Maker:
    name: str
    """What errors call the traffic."""
    classes: Sequence[str]
    lives: Lives
    half_life: float
    progress: Progress

    def calibration(self, reference: Reference, stored: bytes, latest: float) -> Calibration:
        """``stored`` is the reference as the file has it."""
        benign = self._of(SET)
        if not benign:
            raise ConfigError(
                f"{self.name}: no client is left to set a threshold by; "
                "give more clients, over more time"
            )
        decay = Decay(self.half_life)
        novelty = Watch(Layout([Novelty()]), decay)
        floor = strictest([life.counted(novelty) for life in benign])
        self.progress(f"the floor of novelty is {floor}")
        grown = self._grown(Watch(layout(reference, floor, self.half_life), decay))
        watch = Watch(layout(reference, floor, self.half_life, grown), decay)
        known = dict(self._usual(watch))
        return Calibration(
            reference=stored,
            floor=floor,
            thresholds=dict(self._thresholds(watch)),
            latest=latest,
            forest=grown.dump() if grown is not None else b"",
            usual={name: each.quantiles for name, each in known.items()},
            affinities={name: each.affinity for name, each in known.items()},
        )

    def _of(self, part: int) -> list[Life]:
        return [life for (_, whose), some in self.lives.items() if whose == part for life in some]

    def _grown(self, watch: Watch) -> Forest | None:
        """The forest, one life a client."""
        by_client = {life.client: life for life in self._of(GROWN)}
        if not by_client:
            return None
        rng = np.random.default_rng(_SEED)
        clients = [by_client[each] for each in rng.permutation(sorted(by_client)).tolist()]
        half = len(clients) // 2
        sessions = forest.some(watch, (each.exchanges() for each in clients[:half]), rng)
        others = (forest.whole(watch, each.exchanges()) for each in clients[half:])
        try:
            found = forest.grow(sessions, others, _SEED)
        except ConfigError as error:
            _without(str(error), self.progress)
            return None
        self.progress(f"the isolation forest is grown, by {len(by_client):,} clients")
        return found

    def _thresholds(self, watch: Watch) -> Iterator[tuple[str, Threshold]]:
        """Of each class that has clients to set it by."""
        for number, name in enumerate(self.classes):
            benign, others = self.lives.get((number, SET), []), self.lives.get((number, TRIED), [])
            if benign:
                set_by = [life.course(watch) for life in benign]
                tried = [life.course(watch) for life in others]
                yield name, threshold(watch.names, set_by, tried)
            self.progress(
                f"{name}: {len(benign):,} lives set its threshold, {len(others):,} try it"
            )

    def _usual(self, watch: Watch) -> Iterator[tuple[str, Usual]]:
        """Of each class that has clients enough."""
        for number, name in enumerate(self.classes):
            benign = [life.exchanges for life in self.lives.get((number, SET), [])]
            try:
                yield name, usual_evidence(watch, benign)
            except ValueError as error:
                self.progress(f"{name}: new clients are not watched together: {error}")

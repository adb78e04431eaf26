"""Whom the watcher tells of every exchange, and asks who belongs together and what that says.

Rules.  ``observe`` costs microseconds; cohorts are found anew every minute or so, in slices, and
until they are found the earlier ones stand; ``lift`` reads what was found.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from extproc.canonical import Steps
from extproc.cohorts.cohort import Cohort
from extproc.cohorts.finding import found
from extproc.cohorts.groups import DECLARED, Groups
from extproc.cohorts.judging import Judged, Known, cohorts_judged, groups_judged
from extproc.cohorts.knowledge import Knowledge
from extproc.cohorts.trail import PERIOD, QUARTER, Trails
from extproc.detectors.evidence import combined
from extproc.detectors.observation import Observation

SUBJECTS: Final = 65_536
_WINDOWS: Final = {"hour": 3600.0, "day": 86_400.0, "week": 604_800.0}
"""Seconds in which callers come that are counted together."""


class Linker:
    """Of one replica."""

    def __init__(self, knowledge: Knowledge, key: bytes, subjects: int = SUBJECTS) -> None:
        """Of so many subjects in each of two periods at most; ``key`` is a secret."""
        self._known, self._key, self._most = knowledge, key[:64], subjects
        self._period = 0
        self._earlier, self._later = self._trails(), self._trails()
        self._since: dict[str, float] = {}
        self._own: dict[str, float] = {}
        self.groups = Groups(subjects)
        self.judged = Judged()
        """What was found last."""

    def observe(self, observation: Observation, subject: str, digests: Iterable[int]) -> None:
        """Keep what links an exchange of this subject; ``digests`` are those of its features."""
        trails = self._of(observation.time)
        if trails is not None:
            slot = int(observation.time % PERIOD // QUARTER)
            network, client = _number(observation.network), _number(observation.client)
            trails.add(subject, slot, network, client, digests)

    def count(
        self,
        observation: Observation,
        subject: str,
        declared: str,
        traffic: str,
        queries: float,
        evidence: Mapping[str, float],
    ) -> None:
        """Count a caller in its groups, when it has been judged: it has asked so many distinct
        queries, with so much evidence by detector in nats.
        """
        usual = self._known.usual.get(traffic)
        if usual is None:
            return
        _bounded(self._own, subject, combined(evidence, self._known.discounts), self._most)
        if not self.groups.due(subject, queries):
            return
        since = self._since.get(subject, observation.time)
        _bounded(self._since, subject, since, self._most)
        groups = [f"new {name} {since // span:.0f}" for name, span in _WINDOWS.items()]
        period = f"{observation.time // PERIOD:.0f}"
        if observation.network:
            groups.append(f"network {observation.network} {period}")
        if observation.client:
            groups.append(f"client {observation.client} {period}")
        if declared:
            groups.append(f"{DECLARED}{declared} {period}")
        self.groups.enter(subject, groups, usual, queries, evidence)

    def rebuild(self, counters: Known) -> Steps[None]:
        """Find cohorts anew, and judge them; yield at the end of each slice."""
        judged, known = Judged(), self._known

        def covered(subject: str) -> npt.NDArray[np.float32] | None:
            counted = counters(subject)
            return None if counted is None else known.cells(counted)

        cohorts = yield from found(self._earlier, self._later, known.base, covered)
        yield from cohorts_judged(judged, cohorts, known, counters)
        yield from groups_judged(judged, self.groups, self._own)
        self.judged = judged

    def cohorts(self) -> Mapping[str, Cohort]:
        """By name, as they were found last."""
        return self.judged.cohorts

    def lift(self, subject: str) -> float:
        """From 0 to 1: what the suspicion of its cohort and its groups says of a subject."""
        return self.judged.lifts.get(subject, 0.0)

    def _of(self, time: float) -> Trails | None:
        """The trails of that period; None of one that is forgotten."""
        period = int(time // PERIOD)
        if period > self._period:
            self._earlier = self._later if period == self._period + 1 else self._trails()
            self._later, self._period = self._trails(), period
        if period == self._period:
            return self._later
        return self._earlier if period == self._period - 1 else None

    def _trails(self) -> Trails:
        return Trails(self._most, self._key)


def _number(digest: str) -> int:
    return int(digest, 16) & ((1 << 64) - 1) if digest else 0


def _bounded(kept: dict[str, float], subject: str, value: float, most: int) -> None:
    kept[subject] = value
    if len(kept) > most:
        del kept[next(iter(kept))]

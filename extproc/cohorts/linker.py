"""Whom the watcher tells of every exchange, and asks who belongs together and what that says.

Rules.  ``observe`` costs microseconds; cohorts are found anew every minute or so, in slices, and
until they are found the earlier ones stand; ``lift`` reads what was found.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from extproc.canonical import Steps
from extproc.cohorts.cohort import Cohort
from extproc.cohorts.entry import NOWHERE
from extproc.cohorts.finding import found
from extproc.cohorts.groups import DECLARED, Groups
from extproc.cohorts.judging import Judged, Known, cohorts_judged, groups_judged
from extproc.cohorts.knowledge import Knowledge
from extproc.cohorts.trace import Trace, packed, unpacked
from extproc.cohorts.trail import PERIOD, QUARTER, Trails
from extproc.detectors.detector import Counters
from extproc.detectors.evidence import combined
from extproc.detectors.observation import Observation

SUBJECTS: Final = 65_536
_WINDOWS: Final = {"hour": 3600.0, "day": 86_400.0, "week": 604_800.0}
"""Seconds in which callers come that are counted together."""


class Life(Struct, frozen=True):
    """What a caller has done so far."""

    first: float
    """When it came, in seconds since 1970."""
    queries: float
    """How many distinct ones it has asked."""
    counters: Counters
    evidence: Mapping[str, float]
    """In nats, by detector."""


class Linker:
    """Of one replica."""

    def __init__(self, knowledge: Knowledge, key: bytes, subjects: int = SUBJECTS) -> None:
        """Of so many subjects in each of two periods at most; ``key`` is a secret."""
        self._known, self._key, self._most = knowledge, key[:64], subjects
        self._period = 0
        self._earlier, self._later = self._trails(), self._trails()
        self._own: dict[str, float] = {}
        self.groups = Groups(knowledge.usual, subjects)
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
        self, observation: Observation, subject: str, declared: str, traffic: str, life: Life
    ) -> bool:
        """Count a caller in its groups, when it has been judged; returns whether that is news."""
        if traffic not in self._known.usual:
            return False
        own = combined(life.evidence, self._known.discounts)
        _bounded(self._own, subject, own, self._most)
        if not self.groups.due(subject, life.queries):
            return False
        groups = _groups(observation, subject, declared, life.first)
        named = [f"{group} {traffic}" for group in groups]
        fresh = self._known.fresh(traffic, life.counters, life.queries)
        return self.groups.enter(subject, named, traffic, life.queries, fresh)

    def trace(self, subject: str) -> Trace:
        """What is known here of its company, for other replicas."""
        known = [(self._period - 1, self._earlier), (self._period, self._later)]
        rows = [(period, trails.of(subject)) for period, trails in known]
        trails = tuple((period, packed(row[0])) for period, row in rows if row is not None)
        return Trace(trails, self.groups.entries.get(subject, NOWHERE))

    def hear(self, subject: str, trace: Trace) -> None:
        """What another replica knows; of what is forgotten here, nothing is kept."""
        for period, octets in trace.trails:
            trails = self._of(period * PERIOD)
            if trails is not None:
                trails.hear(subject, unpacked(octets))
        if trace.entry != NOWHERE:
            self.groups.hear(subject, trace.entry)

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


def _groups(observation: Observation, subject: str, declared: str, first: float) -> Iterator[str]:
    """Of a caller that came first at such a time."""
    for name, span in _WINDOWS.items():
        yield f"new {name} {first // span:.0f}"
        if subject != observation.tenant:
            yield f"new {name} of {observation.tenant} {first // span:.0f}"
    period = f"{observation.time // PERIOD:.0f}"
    if observation.network:
        yield f"network {observation.network} {period}"
    if observation.client:
        yield f"client {observation.client} {period}"
    if declared:
        yield f"{DECLARED}{declared} {period}"


def _number(digest: str) -> int:
    return int(digest, 16) & ((1 << 64) - 1) if digest else 0


def _bounded(kept: dict[str, float], subject: str, value: float, most: int) -> None:
    kept[subject] = value
    if len(kept) > most:
        del kept[next(iter(kept))]

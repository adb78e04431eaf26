"""Watches callers: counts what has been observed, and judges whose it is.

Rule: beside the requests' path.  To notice takes a moment and never fails; what is made of it is
made in slices of some milliseconds, between which everything else has its turn.  Whatever goes
wrong here is counted and recorded, and costs detection one exchange.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import suppress
from functools import partial
from typing import Final, Protocol

from msgspec.structs import replace

from extproc.admission import Denied
from extproc.detectors.detector import Counters
from extproc.detectors.features import Features, without_inputs
from extproc.detectors.observation import Observation
from extproc.escalation import Case, Override, current
from extproc.exchange import Exchange
from extproc.origin import Origin
from extproc.server.detection import observing
from extproc.server.detection.cases import Suspect
from extproc.server.detection.inbox import Inbox
from extproc.server.detection.judge import Judge
from extproc.server.detection.pieces import INPUTS, UNITS, joined, pieces, units
from extproc.server.detection.settings import Settings
from extproc.server.detection.sketcher import Blind, Sketcher
from extproc.server.protobuf import Handover
from extproc.server.record import Records
from extproc.shadow import ShadowExchange
from extproc.stores.profiles import Profile

SLICE: Final = 0.002
"""Seconds of work after which others have their turn."""
SWEEP: Final = 1.0
"""Seconds between two looks at cases that may have ended."""
SWEPT: Final = 64
"""Cases that are looked at then."""

LINKED: Final = 60.0
"""Seconds after which it is found anew who belongs together."""
NEW: Final = 3600.0
"""Seconds for which somebody is met as one of whom nothing is known, since that has been lost."""


class Kept(Protocol):
    """Where profiles are; see stores/profiles.py."""

    @property
    def forgotten(self) -> int: ...

    def __len__(self) -> int: ...

    def __contains__(self, subject: str) -> bool: ...

    def add(self, subject: str, group: str, features: Features) -> None: ...

    def judge(self, subject: str, nats: float) -> None: ...

    def first(self, subject: str) -> float | None: ...

    def read(self, subject: str, now: float) -> Profile | None: ...


class Watcher:
    """Start it in the event loop that serves, and close it there."""

    def __init__(
        self,
        settings: Settings,
        profiles: Kept,
        judge: Judge,
        records: Records,
        sketcher: Sketcher | None = None,
        *,
        wall: Callable[[], float] = time.time,  # noqa: TID251 - a clock that is taken
    ) -> None:
        self.inbox = Inbox()
        self.faults = 0
        """Times that something went wrong here."""
        self.seconds = 0.0
        """Of work."""
        self.counted = 0
        """Exchanges that were."""
        self.began: Callable[[], float] = partial(float, wall())
        """Since when it is known who was seen, in seconds since 1970."""
        self.written: Callable[[str], Awaitable[None]] = _nobody
        """Returns when other replicas can hear of a subject's case; raises StoreUnavailable where
        it is not known whether they can."""
        self.profiles, self.judge = profiles, judge
        self.learned: Callable[[Observation, Features], None] | None = None
        """Is told what was learned of each exchange; nobody where it is None."""
        self._settings, self._records, self._wall = settings, records, wall
        self._sketcher: Sketcher = sketcher or Blind()
        self._tasks: list[asyncio.Task[None]] = []

    def notice(self, observation: Observation, size: int = 0) -> None:
        """That an exchange is over; ``size`` is how many bytes its inputs take."""
        self.inbox.put(observation, size)

    def ended(self, machine: Exchange | ShadowExchange, handover: Handover) -> None:
        """Notice an exchange."""
        try:
            observation, sample = observing.ended(machine, handover)
            self.faults += not sample.readable
            self.notice(observation, sample.size)
        except Exception as error:  # noqa: BLE001 - see the module's rule
            self._fault(error)

    def denied(self, denial: Denied, arrival: float, whence: Callable[[], Origin]) -> None:
        """Notice a request that ext_authz denied, so that keys which are refused stay linked."""
        try:
            observation = observing.denied(denial, arrival, whence)
            if observation is not None:
                self.notice(observation)
        except Exception as error:  # noqa: BLE001 - see the module's rule
            self._fault(error)

    def case(self, tenant: str, principal: str) -> Case:
        """What is known of a caller; at once, and without raising."""
        subject, now = self._settings.subject(tenant, principal), self._wall()
        case, lost = self.judge.cases.case(subject), self._lost(subject, now)
        if lost > now:
            case = replace(case, lost=lost)
        return current(case, now) if case.ends else case

    def _lost(self, subject: str, now: float) -> float:
        """Until when somebody is met as one who may have been known, before that was lost."""
        if now - self.began() > self._settings.half_life:
            return 0.0  # what was known then would hardly count any more
        first = self.profiles.first(subject)
        return (now if first is None else first) + NEW

    def suspects(self, after: str = "", most: int = 100) -> list[Suspect]:
        """In the order of subjects, those after this one."""
        return self.judge.cases.page(after, most)

    def override(self, subject: str, override: Override, ends: float = 0.0) -> Suspect:
        """What an operator says of it; nothing again where that is empty.  ``ends`` 0 for never."""
        return self.judge.override(subject, override, self._wall(), ends)

    def forgive(self, subject: str) -> Suspect:
        """Off the ladder, and what is known so far is answered for."""
        return self.judge.forgive(subject, self._wall())

    def again(self, subject: str) -> None:
        """Judge a caller without an exchange."""
        try:
            self.judge.again(subject, self._wall())
        except Exception as error:  # noqa: BLE001 - see the module's rule
            self._fault(error)

    async def start(self) -> None:
        running = (self._watch(), self._sweep(), self._link())
        self._tasks = [asyncio.create_task(each) for each in running]

    async def close(self) -> None:
        """At once: what is not counted is not."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def idle(self) -> None:
        """Return when all that has been noticed is counted."""
        while self.inbox.filled.is_set():  # noqa: ASYNC110 - others have their turn
            await asyncio.sleep(0)

    async def _watch(self) -> None:
        steps = self._steps()
        while True:
            await self.inbox.filled.wait()
            began = time.perf_counter()
            while time.perf_counter() - began < SLICE and self.inbox.filled.is_set():
                try:
                    next(steps)
                except Exception as error:  # noqa: BLE001 - see the module's rule
                    self._fault(error)
                    self.inbox.take()  # lest it be met again
                    steps = self._steps()
            self.seconds += time.perf_counter() - began
            await asyncio.sleep(0)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            for suspect in self.judge.cases.some(SWEPT):
                self.again(suspect.subject)
                await asyncio.sleep(0)

    async def _link(self) -> None:
        """Find out anew who belongs together, now and then."""
        linker = self.judge.linker
        while linker is not None:
            await asyncio.sleep(LINKED)
            try:
                for _ in linker.rebuild(self._counters):
                    await asyncio.sleep(0)
                self.judge.companies(self._wall())
            except Exception as error:  # noqa: BLE001 - see the module's rule
                self._fault(error)

    def _counters(self, subject: str) -> Counters | None:
        profile = self.profiles.read(subject, self._wall())
        return None if profile is None else profile.counters

    def _steps(self) -> Iterator[None]:
        """What waits, for ever, in steps of bounded work; the last of them finds nothing."""
        while True:
            batch = self._batch()
            if batch:
                yield from self._features_of(batch)
            else:
                yield

    def _batch(self) -> list[Observation]:
        """Many small ones, or a large one."""
        batch: list[Observation] = []
        inputs = work = 0
        while (first := self.inbox.first()) is not None and len(batch) < INPUTS:
            inputs, work = inputs + len(first.inputs), work + units(first)
            if batch and (inputs > INPUTS or work > UNITS):
                break
            taken = self.inbox.take()
            assert taken is not None
            batch.append(taken)
        if not batch and (last := self.inbox.take()) is not None:
            batch.append(last)
        return batch

    def _features_of(self, batch: list[Observation]) -> Iterator[None]:
        """One that cannot be read is counted without its inputs, and no other with it."""
        try:
            found = yield from self._read(batch)
            _require(len(found) == len(batch))
        except Exception as error:  # noqa: BLE001 - see the module's rule
            self._fault(error)
            found = []
            for each in batch:
                found.append((yield from self._alone(each)) if len(batch) > 1 else _volume(each))
        yield from self._count(batch, found)

    def _alone(self, observation: Observation) -> Generator[None, None, Features]:
        try:
            return (yield from self._read([observation]))[0]
        except Exception as error:  # noqa: BLE001 - see the module's rule
            self._fault(error)
            return _volume(observation)

    def _read(self, batch: list[Observation]) -> Generator[None, None, list[Features]]:
        if len(batch) > 1:
            found = self._sketcher.features(batch)
            yield
            return found
        parts: list[Features] = []
        for piece in pieces(batch[0]):
            parts += self._sketcher.features([piece])
            yield
        return [joined(parts)]

    def _count(self, batch: list[Observation], found: list[Features]) -> Iterator[None]:
        judged: dict[str, Observation] = {}
        for observation, features in zip(batch, found, strict=True):
            try:
                judged[self._add(observation, features)] = observation
            except Exception as error:  # noqa: BLE001 - see the module's rule
                self._fault(error)
            yield
        now, known = self._wall(), {}
        with suppress(Exception):  # then each alone: not all of them are to blame
            known = dict(zip(judged, self.judge.known([*judged], now), strict=True))
        yield
        for subject, observation in judged.items():
            try:
                nats = self.judge.look(subject, observation, now, known.get(subject))
                self.profiles.judge(subject, nats)
            except Exception as error:  # noqa: BLE001 - see the module's rule
                self._fault(error)
            yield

    def _add(self, observation: Observation, features: Features) -> str:
        """Count an exchange; returns whose it is."""
        subject = self._settings.subject(observation.tenant, observation.principal)
        self.profiles.add(subject, observation.tenant, features)
        self.counted += 1
        if self.judge.linker is not None:
            self.judge.linker.observe(observation, subject, features.digests.tolist())
        if self.learned is not None:
            self.learned(observation, features)
        return subject

    def _fault(self, error: Exception) -> None:
        self.faults += 1
        self._records.fault(error)


async def _nobody(_subject: str) -> None:
    """There are no other replicas."""


def _volume(observation: Observation) -> Features:
    """What is known of an exchange whose inputs cannot be read."""
    return without_inputs(
        observation.time, observation.outcome, observation.queries, observation.knobs
    )


def _require(condition: object) -> None:
    if not condition:
        raise ValueError("features are not of each observation")

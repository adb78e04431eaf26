"""What an operator asks about suspects, and says about them, on a sidecar that runs.

Rules: a principal is told by its pseudonym, and may be asked for by it.  What is said is recorded,
with whose process said it, also where it is unknown whether it holds; where it could not be
recorded it does not.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Literal, Protocol

from msgspec import Struct
from msgspec.structs import replace

from extproc.accounts import directory
from extproc.accounts.messages import AboutSuspects, Answer, Failed, Holder
from extproc.accounts.suspects import (
    Overridden,
    Override,
    ShownSuspect,
    ShowSuspect,
    Suspect,
    SuspectPage,
    Suspects,
    Word,
)
from extproc.audit import Act, Pseudonyms
from extproc.audit.record import ActOutcome
from extproc.errors import OperatorError, StoreUnavailable
from extproc.policy import PolicyTable
from extproc.server.act_records import FULL, ActRecords, Peer
from extproc.server.detection.cloud_event import spoken
from extproc.server.detection.history import History

_UNKNOWN: Final = "the store of counters does not answer; whether it holds is not known"
PAGE: Final = 200
"""Suspects of one answer, and of one turn of the event loop."""


class Watched(Struct, frozen=True):
    """One subject, as whoever watches it knows it; times in seconds since 1970, 0 for none."""

    subject: str
    tenant: str = ""
    principal: str = ""
    """As it was proven; empty where the subject is more than one of them."""
    traffic: str = ""
    suspicion: float = 0.0
    step: str = ""
    until: float = 0.0
    shadow: bool = False
    word: Literal["", "trusted", "frozen"] = ""
    word_until: float = 0.0
    evidence: Mapping[str, float] = {}
    """In nats, by detector; -inf where one says nothing."""
    counts: Mapping[str, int] = {}
    cohorts: tuple[str, ...] = ()


class Watching(Protocol):
    """Whoever watches.  Neither of the first two waits for a store."""

    def page(self, after: str, most: int) -> Sequence[Watched]:
        """Those of whom there is a case, in the order of their subjects, behind this one."""
        ...

    def one(self, subject: str) -> Watched | None:
        """None where nothing is known of it."""
        ...

    async def override(self, subject: str, word: Word, until: float) -> None:
        """On all replicas; ``until`` 0 for ever.  Raise StoreUnavailable where it is not known
        whether it holds.
        """
        ...


class SuspectActs:
    """Asks whoever watches, for an operator."""

    def __init__(
        self,
        watching: Watching,
        history: History,
        *,
        by_principal: bool = False,
        wall: Callable[[], float] = time.time,  # noqa: TID251 - a clock that is taken
    ) -> None:
        """``by_principal``: whether each of a tenant's has a profile of its own."""
        self._watching, self._history, self._wall = watching, history, wall
        self._by_principal = by_principal

    async def answer(
        self,
        ask: AboutSuspects,
        peer: Peer,
        table: PolicyTable,
        records: ActRecords,
    ) -> Answer:
        """Raise OperatorError, or StoreUnavailable where it is not known whether it holds."""
        names = table.pseudonyms or Pseudonyms(table.key)
        match ask:
            case Suspects(after):
                return self._page(after, names)
            case ShowSuspect(subject):
                return ShownSuspect(self._told(await self._find(subject, table, names), names))
            case Override():
                watched = await self._find(ask.subject, table, names)
                if records.refusing:
                    return Failed("refused", FULL)
                return await self._say(ask, watched, _Doing(peer, table, names, records))

    def _page(self, after: str, names: Pseudonyms) -> SuspectPage:
        found = self._watching.page(after, PAGE)
        told = tuple(self._told(each, names) for each in found)
        return SuspectPage(told, found[-1].subject if len(found) == PAGE else "")

    async def _find(self, name: str, table: PolicyTable, names: Pseudonyms) -> Watched:
        """By its own name, or by what it is called.  Raise OperatorError."""
        found = self._watching.one(name)
        if found is None and directory.has(table, name):
            if self._by_principal:
                wrong = f"each principal of {name} is watched by itself"
                raise OperatorError(f"{wrong}; name one, as extproc suspects lists them")
            return Watched(name, name)
        if found is None and "|" in name:
            async for each in self._all():
                if called(each, names) == name:
                    return each
        if found is None:
            wrong = f"nothing is known of {name!r}"
            raise OperatorError(f"{wrong}; those of whom there is: extproc suspects")
        return found

    def _told(self, watched: Watched, names: Pseudonyms) -> Suspect:
        return Suspect(
            subject=called(watched, names),
            tenant=watched.tenant,
            traffic=watched.traffic,
            suspicion=round(watched.suspicion, 4),
            step=watched.step,
            until=_moment(watched.until),
            shadow=watched.shadow,
            word=watched.word,
            word_until=_moment(watched.word_until),
            evidence=spoken(watched.evidence),
            counts=dict(watched.counts),
            cohorts=watched.cohorts,
            history=tuple(self._history.of(watched.subject)),
        )

    async def _say(self, ask: Override, watched: Watched, doing: "_Doing") -> Answer:
        if ask.word != "forgive" and watched.subject.startswith(directory.COHORT):
            wrong = f"{watched.subject} asks for nothing itself"
            raise OperatorError(f"{wrong}; {ask.word} its members, or forgive it")
        outcome: ActOutcome = "unknown"
        now = self._wall()
        until = now + ask.seconds if ask.seconds is not None else 0.0
        try:
            await self._watching.override(watched.subject, ask.word, until)
            outcome = "done"
        except StoreUnavailable:
            return Failed("unavailable", _UNKNOWN)
        finally:  # whatever ends it
            doing.record(ask, watched, now, outcome)
        since = self._watching.one(watched.subject) or watched
        return Overridden(ask.word, self._told(since, doing.names), doing.records.audited)

    async def beside(self, holders: Sequence[Holder]) -> list[Holder]:
        """With the suspicion of each tenant among them, or of its most suspicious principal."""
        worst: dict[str, Watched] = {}
        async for each in self._all():
            known = worst.get(each.tenant)
            if known is None or known.suspicion < each.suspicion:
                worst[each.tenant] = each
        return [
            _beside(holder, worst.get(holder.whom)) if ":" not in holder.whom else holder
            for holder in holders
        ]

    async def _all(self) -> AsyncIterator[Watched]:
        after = ""
        while found := self._watching.page(after, PAGE):
            for each in found:
                yield each
            after = found[-1].subject
            await asyncio.sleep(0)


def called(watched: Watched, names: Pseudonyms) -> str:
    return names.suspect(watched.subject, watched.tenant, watched.principal)


class _Doing(Struct, frozen=True):
    """What stands in the record of an operator's word, whatever it is about."""

    peer: Peer
    table: PolicyTable
    names: Pseudonyms
    records: ActRecords

    def record(self, ask: Override, watched: Watched, now: float, outcome: ActOutcome) -> None:
        act = Act(
            time=datetime.fromtimestamp(now, UTC),
            act=f"suspect_{ask.word}",
            uid=self.peer.uid,
            pid=self.peer.pid,
            who=self.peer.who,
            tenant=watched.tenant or watched.subject,
            subject=called(watched, self.names),
            epoch=self.names.epoch,
            amount=ask.seconds,
            unit="seconds" if ask.seconds is not None else "",
            policy=self.table.version,
            outcome=outcome,
        )
        self.records.add(act)


def _beside(holder: Holder, worst: Watched | None) -> Holder:
    if worst is None:
        return replace(holder, suspicion=0.0)
    return replace(holder, suspicion=round(worst.suspicion, 4), step=worst.step)


def _moment(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None

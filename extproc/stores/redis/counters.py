"""Counters in a Redis, or a Valkey, that any number of replicas share.

Rules: all that is taken of one group, or on a single server of several, is one script: one round
trip, atomic.  Time is the server's.  What nobody knows the outcome of is given back: a take that
was not answered in time is not done later than that either, and is settled with nothing.  A store
that lost what it knew is never taken from as if it were new: see lua/groups.lua, and Seen.
"""

import asyncio
import itertools
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from msgspec import Struct, structs

from extproc.errors import StoreUnavailable
from extproc.limits import Charge, Refused, Taken, microseconds
from extproc.stores.ledger import FEW
from extproc.stores.memory import LEASE
from extproc.stores.redis.calls import Calls
from extproc.stores.redis.healing import Healing
from extproc.stores.redis.link import Link
from extproc.stores.redis.owed import Debt, Owed
from extproc.stores.redis.servers import Elsewhere, Servers
from extproc.stores.redis.wire import Word
from extproc.stores.redis.words import Answer, Group, Names, joined, settling, taking

Clock = Callable[[], int]
"""Microseconds since 1970."""

WAIT: Final = 0.04
"""Seconds that a request waits for the store, in all."""
HEALING: Final = 2.0
"""Seconds in which replicas hand in what they knew of a group that the store has lost."""

_TRIES: Final = 3
_GRACE: Final = 100_000
"""Microseconds that a server's clock may seem ahead for a take that is not done later."""
_UNKNOWN: Final = 0.2
"""Seconds behind its time after which a take that was not answered is not done any more, so that it
can be undone."""


class Shape(Struct, frozen=True):
    """How a store counts."""

    prefix: str = "extproc"
    share: int = 10_000
    """Counters of one group."""
    reservations: int = 100_000
    """Of one group, that are not settled."""
    lease: float = LEASE
    wait: float = WAIT
    healing: float = HEALING


class RedisCounters:
    """Start it in the event loop that it is used in, and close it there."""

    def __init__(
        self, servers: Servers, shape: Shape | None = None, *, clock: Clock | None = None
    ) -> None:
        self.servers = servers
        self.shape = shape or Shape()
        self.together = 0
        """Charges that were counted together with others', for want of a counter."""
        self.calls = Calls(servers)
        self.named = Names(self.shape.prefix)
        self.healing = Healing(self.calls, microseconds(self.shape.healing))
        self._clock = clock
        prefix = secrets.token_hex(6)
        self._names = (f"{prefix}{number:x}" for number in itertools.count())
        self._share = max(self.shape.share, FEW)
        self._lease = microseconds(self.shape.lease)
        self._owed = Owed(self._pay)
        self._beats: asyncio.Task[None] | None = None

    @property
    def lost(self) -> int:
        """Settlements that were given up."""
        return self._owed.lost

    @property
    def up(self) -> bool:
        """Whether every server is connected to."""
        return all(link.up for link in self.servers.links())

    @property
    def round_trips(self) -> int:
        return sum(link.writes for link in self.servers.links())

    async def start(self) -> None:
        """Connect; where that fails it goes on trying, in the background."""
        await self.servers.start()
        self._owed.start()
        self._beats = asyncio.create_task(self.healing.beat(self._any_now, self._beaten))

    async def close(self) -> None:
        if self._beats is not None:
            self._beats.cancel()
            await asyncio.wait({self._beats})
        await self._owed.close()
        await self.servers.close()

    async def take(self, charges: Sequence[Charge], *, final: bool = False) -> Taken | Refused:
        name, until = self.name(), self.until()
        groups = self.named.groups(charges)
        if not groups:
            return Taken(name, (), (), ())
        if self.servers.together or len(groups) == 1:
            return await self._take(name, groups, charges, until, final=final)
        if final:  # where this process dies before it is settled all of it stays charged
            charges = [structs.replace(charge, kept=charge.amount) for charge in charges]
        outcome = await self._take_each(name, groups, charges, until)
        if final and isinstance(outcome, Taken):
            amounts = tuple(charge.amount for charge in charges)
            self._owed.add(Debt(outcome, amounts, until + self.shape.lease))
        return outcome

    async def settle(self, taken: Taken, amounts: Sequence[int]) -> None:
        """Where the store cannot be reached it is tried again, until the lease is over."""
        until = asyncio.get_running_loop().time() + self.shape.lease
        debt = Debt(taken, tuple(amounts), until)
        try:
            await self._pay(debt)
        except StoreUnavailable:
            self._owed.add(debt)

    async def _take_each(
        self, name: str, groups: Sequence[Group], charges: Sequence[Charge], until: float
    ) -> Taken | Refused:
        """One group after another; what was taken goes back where a later one is not."""
        done: list[tuple[Group, Taken]] = []
        for group in groups:
            try:
                answer = await self._take(name, [group], charges, until)
            except BaseException:
                self._undo(name, groups[: len(done)], charges)
                raise
            if isinstance(answer, Refused):
                for _, part in done:
                    await self.settle(part, (0,) * len(part.charges))
                return answer
            done.append((group, answer))
        return joined(name, charges, done)

    async def _take(
        self,
        name: str,
        groups: Sequence[Group],
        charges: Sequence[Charge],
        until: float,
        *,
        final: bool = False,
    ) -> Taken | Refused:
        """Of these groups; marks and levels stand in the order of their charges' places."""
        time: int | None = None
        for _ in range(_TRIES):
            link = self.calls.link(groups)
            words = self._taking(link, name, until, final=final)
            words += self._charging(link, groups, charges, time)
            try:
                reply = await self.calls.run(link, "take", groups, words, until)
            except Elsewhere:
                continue
            except BaseException:  # also where nobody waits for it any more
                if not final:
                    self._undo(name, groups, charges, due=self._never())
                raise
            if reply[0] == b"S":
                time = int(reply[2])
            elif reply[0] == b"M":
                answer = Answer.of(groups, reply)
                await self.healing.heal(link, groups, answer.lives, self.given(link), until)
            elif reply[0] == b"L":  # nothing was done; where it left late that was our own loop
                until = self.until()
            else:
                return self._outcome(name, charges, groups, reply)
        raise StoreUnavailable("it has lost what it knew, or its clock is being set")

    def _outcome(
        self, name: str, charges: Sequence[Charge], groups: Sequence[Group], reply: Any
    ) -> Taken | Refused:
        if reply[0] == b"B":
            raise StoreUnavailable("all reservations are under way")
        answer = Answer.of(groups, reply)
        self.healing.note(groups, answer.lives, frozen=reply[0] == b"F")
        if reply[0] == b"F":
            return Refused((), frozen=True)
        if reply[0] == b"R":
            return answer.refused(charges)
        self.together += reply[2]
        texts = iter(answer.rest)
        for group, now in zip(groups, answer.times, strict=True):
            self.healing.remember(group, charges, texts, now)
        return answer.taken(name, charges)

    def _taking(self, link: Link, name: str, until: float, *, final: bool) -> list[Word]:
        """What take.lua is told of all charges; see there."""
        deadline = 0
        if self._clock is None:
            left = microseconds(until - asyncio.get_running_loop().time())
            deadline = link.now() + left + _GRACE
        lease = 0 if final else self._lease
        words: list[Word] = [self.given(link), deadline, lease, name, self._share]
        words += self.shape.reservations, link.run, self.healing.pause
        return words

    def _charging(
        self, link: Link, groups: Sequence[Group], charges: Sequence[Charge], time: int | None
    ) -> list[Word]:
        """What it is told of each group, at the time that it said it is, or seems to be."""
        now = self.now(link)
        words: list[Word] = []
        for group in groups:
            words += self.healing.known(group.name, now), len(group.places)
            words += taking(group, charges, now if time is None else time)
        return words

    async def _pay(self, debt: Debt) -> None:
        """Settle, group by group where they are not together."""
        groups = self.named.groups(debt.taken.charges)
        for part in [groups] if self.servers.together and groups else [[each] for each in groups]:
            await self._settle(debt, part)

    async def _settle(self, debt: Debt, groups: Sequence[Group]) -> None:
        charges, until, time = debt.taken.charges, self.until(), None
        for _ in range(_TRIES):
            link = self.calls.link(groups)
            words: list[Word] = [self.given(link), debt.taken.reservation]
            for group in groups:
                words.append(len(group.places))
                now = self.now(link) if time is None else time
                words += settling(group, charges, debt.amounts, now)
            try:
                reply = await self.calls.run(link, "settle", groups, words, until)
            except Elsewhere:
                continue
            if reply[0] == b"T":
                self._corrected(groups, charges, reply)
                return
            time = int(reply[2])
        raise StoreUnavailable("its clock is being set")

    def _corrected(self, groups: Sequence[Group], charges: Sequence[Charge], reply: Any) -> None:
        rest = iter(reply[2:])
        for group in groups:
            held, now = next(rest), int(next(rest))
            if held:
                self.healing.remember(group, charges, rest, now)

    def _undo(
        self,
        name: str,
        groups: Sequence[Group],
        charges: Sequence[Charge],
        due: float = 0.0,
    ) -> None:
        """Have nothing be charged of what was taken, or may have been."""
        places = sorted(place for group in groups for place in group.places)
        if places:
            now = asyncio.get_running_loop().time()
            none = Taken(name, tuple(charges[place] for place in places), (), ())
            until = now + self.shape.lease
            self._owed.add(Debt(none, (0,) * len(places), until, due))

    def _never(self) -> float:
        """The loop's time from which on nothing is done any more of what was asked until now."""
        return time.monotonic() + self.shape.wait + _UNKNOWN

    async def look(self, group: Group) -> tuple[bool, int]:
        """Whether a group is frozen, and its time; what was lost is handed in."""
        until = self.until()
        for _ in range(_TRIES):
            link = self.calls.link([group])
            words = self._taking(link, self.name(), until, final=True)
            words += self.healing.known(group.name, self.now(link)), 0
            reply = await self.calls.run(link, "take", [group], words, until)
            if reply[0] == b"L":
                continue
            answer = Answer.of([group], reply)
            if reply[0] != b"M":
                self.healing.note([group], answer.lives, frozen=reply[0] == b"F")
                return reply[0] == b"F", answer.times[0]
            await self.healing.heal(link, [group], answer.lives, self.given(link), until)
        raise StoreUnavailable("it has lost what it knew, and is being told")

    async def _beaten(self, group: str) -> None:
        with suppress(StoreUnavailable):
            await self.look(Group(group, self.named.keys(group), ()))

    def name(self) -> str:
        """Of a reservation, or of a group's life: one of its own."""
        return next(self._names)

    def _any_now(self) -> int:
        return min((self.now(link) for link in self.servers.links() if link.up), default=0)

    def now(self, link: Link) -> int:
        """About what the store's clock says; not more."""
        return link.now() if self._clock is None else self._clock()

    def given(self, link: Link) -> Word:
        """The time for a script, which takes the server's where it is empty."""
        return b"" if self._clock is None else self._clock()

    def until(self) -> float:
        return asyncio.get_running_loop().time() + self.shape.wait

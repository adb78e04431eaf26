"""Counters of which a replica leases slices, so that most requests cost no round trip.

A slice is a share of a limit's maximum, charged whole before any of it is used, and held for a
short time; what is left then goes back.  Bounds, for slices of ``share`` and ``replicas``:

- No budget is overspent, of a calendar or a sliding one: all that is served was charged before.
- At most one slice of each counter is idle in each replica, for at most ``seconds``: a request may
  be refused although so much is left.  Within few slices of its end a budget has none: everything
  goes to the store.
- Of a rate, any interval lets in at most a slice for each replica more than the rate does.
- A freeze, a grant and a policy's new limit take effect within ``seconds``.
- A replica that dies leaves its slices charged.

What slices do not cover goes to the store whole, all or none.  Limits of concurrency have no
slices; nor have those of which a slice would serve few requests, or that are seldom used.
"""

import asyncio
import itertools
from collections import OrderedDict
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Final

from extproc.errors import StoreUnavailable
from extproc.limits import Charge, Concurrency, Counters, Refused, Taken, microseconds
from extproc.stores.memory import LEASE, Clock, steady
from extproc.stores.slices import Counter, Lease, Served, Slice, divisible, serves, worth

_NEAR: Final = 2
"""Slices that are left of a limit for those that take from the store directly."""
_TRIES: Final = 3
"""Leases that a request waits for before it takes from the store directly."""
_PAUSES: Final = 10
"""How often in a slice's time is looked for those whose time is over."""
_AGAIN: Final = 20
"""How often a slice is tried to be returned to a store that does not answer."""


class Leased:
    """Counters over others: the store that all replicas share.

    ``most`` bounds the counters that are known, the leases, and what was served from them and is
    not settled; ``lease`` is the store's, after which that never will be.  Slices whose time is
    over go back by themselves from ``start`` to ``close``.
    """

    def __init__(
        self,
        store: Counters,
        *,
        share: float = 0.02,
        seconds: float = 5.0,
        most: int = 10_000,
        lease: float = LEASE,
        clock: Clock | None = None,
    ) -> None:
        self._store = store
        self._share = share
        self._time = microseconds(seconds)
        self._most = most
        self._lasts = microseconds(lease)
        self._clock = clock or steady()
        self._numbers = itertools.count()
        self._known: dict[tuple[str, str, str], Counter] = {}
        self._leases: set[Lease] = set()
        self._served: OrderedDict[str, Served] = OrderedDict()
        self._coming: dict[Counter, asyncio.Task[bool]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._late: list[tuple[Taken, Sequence[int], int]] = []
        """What the store did not answer about, and how often it was tried."""
        self._open = True
        self._running: asyncio.Task[None] | None = None

    async def take(self, charges: Sequence[Charge], *, final: bool = False) -> Taken | Refused:
        for _ in range(_TRIES):
            wanted = self._wanted(charges)
            if wanted is None:
                break
            missing = self._missing(wanted)
            if not missing:
                return self._serve(charges, final=final)
            if not await self._lease(missing):
                break
        return await self._directly(charges, final=final)

    async def settle(self, taken: Taken, amounts: Sequence[int]) -> None:
        served = self._served.pop(taken.reservation, None)
        if served is not None:
            self._settle(served, list(amounts))
        elif taken.reservation[:1] != _LOCAL:
            await self._store.settle(taken, amounts)

    async def start(self) -> None:
        """Return slices in time, until it is closed."""
        self._running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._time / _PAUSES / 1e6)
            await self.sweep()

    async def sweep(self) -> None:
        """Return every slice whose time is over, and forget what is of no use any more."""
        now = self._clock()
        while self._served and (oldest := next(iter(self._served.values()))).until <= now:
            self._served.popitem(last=False)
            self._settle(oldest, [kept for _, _, kept in oldest])
        for lease in [each for each in self._leases if each.until <= now]:
            self._end_soon(lease)
        for key in [key for key, each in self._known.items() if _idle(each, now)]:
            del self._known[key]
        late, self._late = self._late, []
        for taken, amounts, tried in late:
            self._begin(self._give_back(taken, amounts, tried))
        await self._all_ended()

    async def close(self) -> None:
        """Return every slice; from now on everything goes to the store."""
        self._open = False
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})
        await self._all_ended()
        for lease in list(self._leases):
            self._end_soon(lease)
        await self._all_ended()

    # What slices cover

    def _wanted(self, charges: Sequence[Charge]) -> dict[Counter, int] | None:
        """How much of each counter, where slices may serve all of them; or else None."""
        if not self._open or not charges or len(self._served) >= self._most:
            return None
        now, wanted, fit = self._clock(), dict[Counter, int](), True
        for charge in charges:
            counter = self._counter(charge)
            if counter is None:
                return None
            wanted[counter] = wanted.get(counter, 0) + charge.amount
            often, counter.used = now < counter.used, now + self._time
            fit = fit and (often or bool(counter.slices)) and now >= counter.direct
        fit = fit and all(worth(of.rule, each, self._size(of)) for of, each in wanted.items())
        return wanted if fit else None

    def _counter(self, charge: Charge) -> Counter | None:
        if not divisible(charge):
            return None
        key = (charge.group, charge.rule.name, charge.subject)
        counter = self._known.get(key)
        if counter is not None and counter.rule is not charge.rule:
            if counter.rule == charge.rule:
                counter.rule = charge.rule
                return counter
            for each in counter.slices:  # another policy is in force
                self._end_soon(each.lease)
            del self._known[key]
            counter = None
        if counter is None and len(self._known) < self._most:
            counter = self._known[key] = Counter(charge)
        return counter

    def _size(self, counter: Counter) -> int:
        return 0 if isinstance(counter.rule, Concurrency) else int(counter.rule.max * self._share)

    def _missing(self, wanted: Mapping[Counter, int]) -> dict[Counter, int]:
        """What no slice has as much left of."""
        now = self._clock()
        missing = {of: much for of, much in wanted.items() if not of.covering(much, now)}
        for counter in missing:
            for each in counter.slices:
                if each.lease is not None and each.lease.until <= now:
                    self._end_soon(each.lease)
        return missing

    def _serve(self, charges: Sequence[Charge], *, final: bool) -> Taken:
        now, levels = self._clock(), []
        served = Served(now + self._lasts)
        for charge in charges:
            counter = self._known[charge.group, charge.rule.name, charge.subject]
            piece = counter.covering(charge.amount, now)
            assert piece is not None
            served.draw(piece, charge.amount, charge.kept)
            levels.append(counter.level(now))
        name = f"{_LOCAL}{next(self._numbers)}"
        if final:
            served.settle([charge.amount for charge in charges])
        else:
            self._served[name] = served
        return Taken(name, tuple(charges), (0,) * len(charges), tuple(levels))

    def _settle(self, served: Served, amounts: list[int]) -> None:
        served.settle(amounts)
        for piece, _, _ in served:
            lease = piece.lease
            if lease is None:
                continue
            if lease.serving:
                if piece.counter.held > self._size(piece.counter):
                    self._end_soon(lease)
            elif not lease.under_way:
                self._begin(self._return(lease))

    # What the store is asked

    async def _directly(self, charges: Sequence[Charge], *, final: bool) -> Taken | Refused:
        outcome = await self._ask(charges, final=final)
        if isinstance(outcome, Refused):
            late = [charges[wait.index] for wait in outcome.waits]
            ours = {each.lease for charge in late for each in self._slices(charge)}
            if ours:  # what they lack may be in our own hands
                await asyncio.wait([self._begin(self._end(each)) for each in ours if each])
                return await self._ask(charges, final=final)
        return outcome

    async def _ask(self, charges: Sequence[Charge], *, final: bool) -> Taken | Refused:
        now = self._clock()
        outcome = await self._store.take(charges, final=final)
        if isinstance(outcome, Refused):
            self._take_directly([charges[wait.index] for wait in outcome.waits], now)
            return outcome
        for charge, level in zip(charges, outcome.levels, strict=True):
            counter = self._known.get((charge.group, charge.rule.name, charge.subject))
            if counter is not None:
                counter.hear(level, now)
                if level.left < (1 + _NEAR) * self._size(counter):
                    counter.direct = now + self._time
        return outcome

    def _take_directly(self, charges: Sequence[Charge], now: int) -> None:
        """For a while, of what there is little left of."""
        for charge in charges:
            counter = self._known.get((charge.group, charge.rule.name, charge.subject))
            if counter is not None:
                counter.direct = now + self._time

    def _slices(self, charge: Charge) -> list[Slice]:
        counter = self._known.get((charge.group, charge.rule.name, charge.subject))
        return [] if counter is None else counter.slices

    async def _lease(self, missing: Mapping[Counter, int]) -> bool:
        """Have slices of these, unless somebody is at it already; whether it is worth a look."""
        coming = next((self._coming[each] for each in missing if each in self._coming), None)
        if coming is None:
            if len(self._leases) >= self._most:
                return False
            coming = self._begin(self._fetch(missing))
            self._coming.update(dict.fromkeys(missing, coming))
        # A request that is given up does not lose what was leased.
        return await asyncio.shield(coming)

    async def _fetch(self, missing: Mapping[Counter, int]) -> bool:
        now = self._clock()
        slices = []
        for of, wanted in missing.items():
            size = self._size(of) - of.held
            if size >= wanted:
                slices.append(Charge(of.rule, of.group, of.subject, size, size))
        try:
            if len(slices) < len(missing):
                return False
            outcome = await self._store.take(slices)
        except StoreUnavailable:
            return False
        finally:
            for of in missing:
                del self._coming[of]
        if isinstance(outcome, Refused):
            late = [slices[wait.index] for wait in outcome.waits]
            self._take_directly(late or slices, now)
            return False
        self._have(outcome, list(missing), now)
        return True

    def _have(self, taken: Taken, counters: Sequence[Counter], now: int) -> None:
        lease = Lease(now + self._time)
        lease.taken = taken
        self._leases.add(lease)
        for counter, charge, level in zip(counters, taken.charges, taken.levels, strict=True):
            counter.hear(level, now)
            if level.left < _NEAR * self._size(counter):
                counter.direct = now + self._time
            serving = serves(counter.rule, level)
            if serving is not None:
                lease.until = min(lease.until, now + serving)
            piece = Slice(counter, charge.amount, now + level.reset, lease)
            lease.slices.append(piece)
            counter.slices.append(piece)
            counter.held += piece.left

    # What becomes of slices

    def _end_soon(self, lease: Lease | None) -> None:
        if lease is not None and lease.serving:
            self._begin(self._end(lease))

    async def _end(self, lease: Lease) -> None:
        """Serve nothing from it any more, and return what is left.

        What is under way is charged anew, by itself, before the rest goes back: at no time is
        less charged than may have been used.
        """
        if not lease.serving:
            return
        lease.serving = False
        for each in lease.slices:
            each.counter.slices.remove(each)
            each.counter.held -= each.left
        rest = self._rest(lease)
        if rest is not None and not await self._move(rest):
            self._stay(lease, rest)
            return
        await self._return(lease)

    def _rest(self, lease: Lease) -> Lease | None:
        """A lease of what is under way, cut off from this one; None where nothing is."""
        now = self._clock()
        rest = Lease(lease.until)
        rest.serving = False
        for index, each in enumerate(lease.slices):
            moved = each.movable(now)
            stays = Slice(each.counter, each.size, each.ends, lease)
            stays.left = each.left + moved
            lease.slices[index] = stays
            each.size, each.left, each.lease = moved, 0, rest if moved else None
            if moved:
                rest.slices.append(each)
        return rest if rest.slices else None

    async def _move(self, rest: Lease) -> bool:
        charges = []
        for each in rest.slices:
            rule, group, subject = each.counter.rule, each.counter.group, each.counter.subject
            kept = min(each.kept, each.size)
            charges.append(Charge(rule, group, subject, each.size, kept, forced=True))
        try:
            outcome = await self._store.take(charges)
        except StoreUnavailable:
            return False
        if isinstance(outcome, Refused):
            return False
        rest.taken = outcome
        self._leases.add(rest)
        if not rest.under_way:
            self._begin(self._return(rest))
        return True

    def _stay(self, lease: Lease, rest: Lease) -> None:
        """What could not be moved is returned with the rest, when it has come to its end."""
        for each in rest.slices:
            stays = next(one for one in lease.slices if one.counter is each.counter)
            each.left += stays.left - each.size
            each.size, each.lease = stays.size, lease
            lease.slices[lease.slices.index(stays)] = each
        if not lease.under_way:
            self._begin(self._return(lease))

    async def _return(self, lease: Lease) -> None:
        """Once, when nothing of it is under way any more."""
        if lease.taken is not None and lease in self._leases:
            self._leases.discard(lease)
            await self._give_back(lease.taken, [each.spent for each in lease.slices], 0)

    async def _give_back(self, taken: Taken, amounts: Sequence[int], tried: int) -> None:
        try:
            await self._store.settle(taken, amounts)
        except StoreUnavailable:
            if tried < _AGAIN:
                self._late.append((taken, amounts, tried + 1))

    def _begin(self, what: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        task = asyncio.ensure_future(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _all_ended(self) -> None:
        """Whoever gives up waiting ends none of them."""
        while self._tasks:
            await asyncio.wait(self._tasks)


_LOCAL: Final = "/"
"""What names of what was served from slices begin with."""


def _idle(counter: Counter, now: int) -> bool:
    return not counter.slices and counter.used <= now

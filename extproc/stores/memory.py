"""Counters of one process: what a single sidecar needs, and what tests run on.

Rules: nothing is awaited between reading and writing, so that calls on one event loop are atomic.
Its time never goes back: where its clock does, it stands still.
"""

import asyncio
import heapq
import itertools
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias

from msgspec import Struct

from extproc.errors import StoreUnavailable
from extproc.limits import (
    Account,
    Charge,
    Level,
    Refused,
    Rule,
    Sliding,
    Standing,
    Taken,
    Wait,
    microseconds,
)
from extproc.stores.ledger import Ledger, States

Clock = Callable[[], int]
"""Microseconds since 1970."""

LEASE: Final = 900.0
"""Seconds after which what was never settled is given back."""

_LAPSED: Final = 10_000
"""Reservations that are remembered behind the end of their lease."""
_AT_ONCE: Final = 500
"""Reservations that lapse, or counters that are read, in one turn of the event loop."""

_Place: TypeAlias = tuple[States, str, Any, int, int]
"""Where a charge is counted, by which subject; its state and level; what the charge costs."""


def steady() -> Clock:
    """A clock that nobody can set: the wall's when it was made, and from then on by time passed.

    CLOCK_BOOTTIME (clock_gettime(2)) runs on while the machine sleeps, and is never set.
    """
    passed = time.clock_gettime_ns
    begun = time.time_ns() - passed(time.CLOCK_BOOTTIME)
    return lambda: (begun + passed(time.CLOCK_BOOTTIME)) // 1000


class MemoryCounters:
    """At most ``capacity`` counters, ``share`` of them of one of at most ``groups`` groups, and at
    most ``reservations`` that are not settled; see Ledger.

    A counter is some 180 bytes, a group some 700 more, a reservation of one charge some 650.
    """

    def __init__(
        self,
        capacity: int = 100_000,
        share: int = 10_000,
        *,
        groups: int = 100_000,
        reservations: int = 100_000,
        lease: float = LEASE,
        clock: Clock | None = None,
    ) -> None:
        self.clock = clock or steady()
        self._now = 0
        self._ledger = Ledger(capacity, share, groups)
        self._reservations = reservations
        self._lease = microseconds(lease)
        self._frozen: set[str] = set()
        self._numbers = itertools.count()
        self._held: OrderedDict[str, _Held] = OrderedDict()
        """By reservation: those whose leases end first are first."""
        self._due = 0
        """No lease ends before it."""
        self._lapsed: OrderedDict[str, _Held] = OrderedDict()

    @property
    def together(self) -> int:
        """Charges that were counted together with others', for want of a counter."""
        return self._ledger.together

    def __len__(self) -> int:
        """How many counters there are."""
        return self._ledger.counters

    async def take(self, charges: Sequence[Charge], *, final: bool = False) -> Taken | Refused:
        now = self._time()
        if self._frozen and any(charge.group in self._frozen for charge in charges):
            return Refused((), frozen=True)
        if not final and len(self._held) >= self._reservations:
            raise StoreUnavailable(f"all {self._reservations} reservations are under way")
        if self._ledger.untidy:
            self._ledger.tidy(now)
        if len(charges) == 1:
            return self._one(charges[0], now, final=final)
        places = [self._place(charge, charge.subject, now) for charge in charges]
        waits, again = _waits(charges, places, now)
        if waits:
            return Refused(waits)
        written = [self._add(place, now, again=again) for place in places]
        return self._taken(charges, places, written, now, final=final)

    async def settle(self, taken: Taken, amounts: Sequence[int]) -> None:
        now = self._time()
        if (held := self._held.pop(taken.reservation, None)) is not None:
            self._correct(held, [charge.amount for charge in held.charges], amounts, now)
        elif (held := self._lapsed.pop(taken.reservation, None)) is not None:
            self._correct(held, [charge.kept for charge in held.charges], amounts, now)

    async def read(self, group: str, rules: Sequence[Rule[Any]], *, most: int) -> Account:
        now, seen = self._time(), 0
        found: list[tuple[float, Standing]] = []
        for states in self._ledger.of(group, rules):
            counters = iter(list(states.by_subject.items()))
            while some := list(itertools.islice(counters, _AT_ONCE)):
                used = [*_used(states.rule, some, now)]
                seen += len(used)
                found = heapq.nlargest(most, [*found, *used], key=lambda each: each[0])
                await asyncio.sleep(0)
        standings = tuple(standing for _, standing in found)
        return Account(group in self._frozen, standings, seen - len(standings))

    async def grant(
        self, group: str, rule: Rule[Any], subject: str, amount: int | None = None
    ) -> None:
        now, states = self._time(), self._ledger.states(group, rule)
        before = states.by_subject.get(subject)
        cost = None if amount is None else rule.cost(amount)
        self._write(states, subject, before, rule.grant(before, now, cost))

    async def freeze(self, group: str, *, frozen: bool) -> None:
        (self._frozen.add if frozen else self._frozen.discard)(group)

    def _time(self) -> int:
        now = self.clock()
        if now <= self._now:
            return self._now
        self._now = now
        if now >= self._due:
            self._lapse(now)
        return now

    def _place(self, charge: Charge, subject: str, now: int) -> _Place:
        rule = charge.rule
        states = self._ledger.states(charge.group, rule)
        state = states.by_subject.get(subject)
        if state is None:
            subject = self._ledger.counted_as(states, subject, now)
            state = states.by_subject.get(subject)
        return states, subject, state, rule.level(state, now), rule.cost(charge.amount)

    def _one(self, charge: Charge, now: int, *, final: bool) -> Taken | Refused:
        """As take, in one piece: what most requests are charged should cost little."""
        rule, subject, amount = charge.rule, charge.subject, charge.amount
        states = self._ledger.states(charge.group, rule)
        counters = states.by_subject
        before = counters.get(subject)
        if before is None:
            subject = self._ledger.counted_as(states, subject, now)
            before = counters.get(subject)
        cost = rule.cost(amount)
        left = rule.capacity - rule.level(before, now) - cost
        if left < 0 and not charge.forced:
            return Refused((Wait(0, rule.wait(before, now, cost)),))
        state = rule.add(before, now, cost)
        if before is None:
            self._write(states, subject, before, state)
        else:
            counters[subject] = state
        reset = rule.idle(state) - now
        standing = Level(rule.amount(left) if left > 0 else 0, max(0, reset))
        name = str(next(self._numbers))
        taken = Taken(name, (charge,), (rule.mark(state),), (standing,))
        if not final:
            self._held[name] = _Held(now + self._lease, taken.charges, taken.marks, (subject,))
        return taken

    def _add(self, place: _Place, now: int, *, again: bool) -> tuple[int, Level]:
        """Count it: where it went, and where the counter stands."""
        states, subject, _, used, cost = place
        rule = states.rule
        # Anew: it may have been forgotten to make room for another one.
        before = states.by_subject.get(subject)
        if again:
            used = rule.level(before, now)
        state = rule.add(before, now, cost)
        self._write(states, subject, before, state)
        left, reset = rule.capacity - used - cost, rule.idle(state) - now
        return rule.mark(state), Level(rule.amount(left) if left > 0 else 0, max(0, reset))

    def _taken(
        self,
        charges: Sequence[Charge],
        places: Sequence[_Place],
        written: Sequence[tuple[int, Level]],
        now: int,
        *,
        final: bool,
    ) -> Taken:
        marks, levels = zip(*written, strict=True) if written else ((), ())
        name = str(next(self._numbers))
        taken = Taken(name, tuple(charges), marks, levels)
        if not final:
            subjects = tuple([place[1] for place in places])
            self._held[name] = _Held(now + self._lease, taken.charges, marks, subjects)
        return taken

    def _write(self, states: States, subject: str, before: Any, state: Any) -> None:
        if before is not None:
            states.by_subject[subject] = state
        elif state is not None:
            self._ledger.make(states, subject, state)

    def _lapse(self, now: int) -> None:
        """Give back what was never settled, but for what is certain."""
        for _ in range(_AT_ONCE):
            name, held = next(iter(self._held.items()), ("", None))
            if held is None or held.until > now:
                self._due = now + self._lease if held is None else held.until
                return
            del self._held[name]
            self._lapsed[name] = held
            if len(self._lapsed) > _LAPSED:
                self._lapsed.popitem(last=False)
            reserved = [charge.amount for charge in held.charges]
            self._correct(held, reserved, [charge.kept for charge in held.charges], now)

    def _correct(
        self, held: "_Held", charged: Sequence[int], amounts: Sequence[int], now: int
    ) -> None:
        """Have these amounts counted where others were charged."""
        parts = zip(held.charges, held.marks, held.subjects, charged, amounts, strict=True)
        for charge, mark, subject, was, amount in parts:
            if was == amount:
                continue
            rule = charge.rule
            more = rule.cost(amount) - rule.cost(was)
            if amount > was:
                states, whose, state, _, _ = self._place(charge, subject, now)
                self._write(states, whose, state, rule.add(state, now, more))
                continue
            states = self._ledger.states(charge.group, rule)
            if (state := states.by_subject.get(subject)) is not None:
                states.by_subject[subject] = rule.back(state, now, -more, mark)


class _Held(Struct, frozen=True, gc=False):
    """A reservation that is not settled."""

    until: int
    """The end of its lease."""
    charges: tuple[Charge, ...]
    marks: tuple[int, ...]
    subjects: tuple[str, ...]
    """By which each was counted."""


def _waits(
    charges: Sequence[Charge], places: Sequence[_Place], now: int
) -> tuple[tuple[Wait, ...], bool]:
    """Of what does not fit, on top of what comes before it in the same take; and whether any
    counter is there more than once.
    """
    waits = []
    sums: dict[tuple[States, str], int] = {}
    for index, (charge, place) in enumerate(zip(charges, places, strict=True)):
        states, subject, state, used, cost = place
        cost += sums.get((states, subject), 0)
        sums[states, subject] = cost
        if used + cost > charge.rule.capacity and not charge.forced:
            waits.append(Wait(index, charge.rule.wait(state, now, cost)))
    return tuple(waits), len(sums) < len(places)


def _used(
    rule: Rule[Any], counters: Sequence[tuple[str, Any]], now: int
) -> Iterator[tuple[float, Standing]]:
    """How full each is, and where it stands."""
    for subject, state in counters:
        used = rule.level(state, now)
        if used:
            left = rule.amount(rule.capacity - used)
            reset = rule.idle(state) - now
            age = rule.age(state, now) if isinstance(rule, Sliding) else 0
            standing = Standing(rule.name, subject, rule.max - left, max(0, left), reset, age)
            yield used / rule.capacity, standing

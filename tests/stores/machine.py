"""Whatever is done to a store, in whatever order: it says what the model says.

A store's test module calls ``follow``.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from extproc.limits import (
    SECOND,
    Calendar,
    Charge,
    Concurrency,
    Periods,
    Rate,
    Refused,
    Rule,
    Sliding,
    Taken,
)
from tests.stores.contract import DAY, NOON, Clock, Store
from tests.stores.model import Counter, Entry

LEASE = 900 * SECOND
RULES: tuple[Rule[Any], ...] = (
    Rate("quick/1s", 7, SECOND),
    Rate("slow/1h", 5, 3600 * SECOND),
    Calendar("daily/day", 20, Periods("day")),
    Sliding("sliding/80m", 12, 80 * 60 * SECOND),
    Concurrency("at-once", 3),
)
GROUPS = ("acme", "globex", "")
PLACES = st.tuples(
    st.sampled_from(RULES), st.sampled_from(GROUPS), st.sampled_from(["", "alice", "bob"])
)
STEPS = st.one_of(
    st.integers(0, 3 * SECOND),
    st.integers(0, DAY),
    st.sampled_from([LEASE, LEASE - 1, 10 * 60 * SECOND, DAY // 2, DAY // 2 - 1]),
)


@st.composite
def charges(draw: st.DrawFn) -> Charge:
    where = draw(PLACES)
    amount = draw(st.integers(0, where[0].max + 1))
    kept = 0 if isinstance(where[0], Concurrency) else draw(st.integers(0, amount))
    return Charge(*where, amount, kept, forced=draw(st.integers(0, 7)) == 0)


@dataclass
class Reservation:
    taken: Taken
    entries: list[Entry]
    until: int
    lapsed: bool = False
    settled: bool = False


class Machine(RuleBasedStateMachine):
    """``make`` is a new and empty store, whose leases last LEASE."""

    make: Callable[[Clock], Awaitable[Store]]
    steady: bool
    """Whether its time stands still where the clock steps back."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = Clock(NOON)
        self.latest = 0
        self.store: Store
        self.counters: dict[tuple[str, str, str], Counter] = {}
        self.reservations: list[Reservation] = []
        self.frozen: set[str] = set()

    def teardown(self) -> None:
        self.runner.close()

    @initialize()
    def begin(self) -> None:
        self.store = self.run(type(self).make(self.clock))

    @rule(asked=st.lists(charges(), max_size=4), final=st.integers(0, 3))
    def take(self, asked: list[Charge], final: int) -> None:
        self.lapse()
        outcome = self.run(self.store.take(asked, final=final == 0))
        if any(charge.group in self.frozen for charge in asked):
            assert outcome == Refused((), frozen=True)
            return
        late = self.late(asked)
        if late:
            assert isinstance(outcome, Refused), (outcome, late)
            assert [wait.index for wait in outcome.waits] == late
            assert all(wait.microseconds > 0 for wait in outcome.waits)
            return
        assert isinstance(outcome, Taken), outcome
        entries = [self.counter(charge).add(self.now, self.cost(charge)) for charge in asked]
        if final:
            self.reservations.append(Reservation(outcome, entries, self.now + LEASE))
        self.agree(asked)

    @precondition(lambda self: self.reservations)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        self.lapse()
        which = data.draw(st.sampled_from(self.reservations))
        asked = which.taken.charges
        amounts = [
            0
            if isinstance(charge.rule, Concurrency)
            else data.draw(st.integers(0, charge.amount + 3))
            for charge in asked
        ]
        if which.until + LEASE > self.now:  # nobody settles later
            self.run(self.store.settle(which.taken, amounts))
            self.charge(which, amounts)
            which.settled = True
        self.agree(asked)

    @rule(step=STEPS)
    def later(self, step: int) -> None:
        self.clock.now += step

    @precondition(lambda self: self.steady)
    @rule(step=STEPS)
    def earlier(self, step: int) -> None:
        self.clock.now -= step

    @rule(group=st.sampled_from(GROUPS), frozen=st.booleans())
    def freeze(self, group: str, frozen: bool) -> None:
        self.run(self.store.freeze(group, frozen=frozen))
        (self.frozen.add if frozen else self.frozen.discard)(group)

    @rule(where=PLACES, amount=st.one_of(st.none(), st.integers(0, 30)))
    def grant(self, where: tuple[Rule[Any], str, str], amount: int | None) -> None:
        self.lapse()
        asked = Charge(*where, 0)
        self.agree([asked])  # so that it has seen what has lapsed, as the model has
        counter = self.counter(asked)
        self.run(self.store.grant(where[1], where[0], where[2], amount))
        counter.grant(self.now, None if amount is None else counter.cost(amount))
        self.agree([asked])

    @rule(group=st.sampled_from(GROUPS))
    def read(self, group: str) -> None:
        self.lapse()
        mine = [Charge(each, group, who, 0) for each in RULES for who in ("", "alice", "bob")]
        self.agree(mine)
        account = self.run(self.store.read(group, RULES, most=20))
        assert account.frozen == (group in self.frozen)
        if group in self.frozen:
            return
        found = {(each.rule, each.subject): each.spent for each in account.standings}
        for charge in mine:
            counter = self.counter(charge)
            spent = found.pop((charge.rule.name, charge.subject), 0)
            level = counter.level(self.now)
            if isinstance(charge.rule, Rate):
                # Each charge is rounded up by itself.
                assert counter.cost(spent - 1) <= level <= counter.cost(spent) + counter.rule.max
            else:
                assert spent == level
        assert not found

    # The model

    @property
    def now(self) -> int:
        """When the store is asked: its time stands still where the clock steps back."""
        self.latest = max(self.latest, self.clock.now)
        return self.latest

    def run(self, what: Any) -> Any:
        return self.runner.run(what)

    def counter(self, charge: Charge) -> Counter:
        where = (charge.rule.name, charge.group, charge.subject)
        return self.counters.setdefault(where, Counter(charge.rule))

    def cost(self, charge: Charge) -> int:
        return self.counter(charge).cost(charge.amount)

    def late(self, asked: list[Charge]) -> list[int]:
        """The places of what does not fit, on top of what comes before it."""
        found = []
        for index, charge in enumerate(asked):
            same = [
                each for each in asked[: index + 1] if self.counter(each) is self.counter(charge)
            ]
            if not charge.forced and not self.counter(charge).fits(
                self.now, sum(self.cost(each) for each in same)
            ):
                found.append(index)
        return found

    def lapse(self) -> None:
        for each in self.reservations:
            if each.until <= self.now and not each.lapsed and not each.settled:
                self.charge(each, [charge.kept for charge in each.taken.charges])
                each.lapsed = True

    def charge(self, which: Reservation, amounts: list[int]) -> None:
        """Have these amounts charged in place of what is."""
        if which.settled:
            return
        charges = which.taken.charges
        for charge, entry, amount in zip(charges, which.entries, amounts, strict=True):
            counter = self.counter(charge)
            was = charge.kept if which.lapsed else charge.amount
            if amount > was:
                counter.add(self.now, counter.cost(amount) - counter.cost(was))
            elif amount < was:
                counter.back(self.now, entry, counter.cost(was) - counter.cost(amount))

    def agree(self, asked: list[Charge] | tuple[Charge, ...]) -> None:
        """What is left of every counter is what the model says, found by taking nothing."""
        for each in asked:
            if each.group in self.frozen:
                continue
            nothing = Charge(each.rule, each.group, each.subject, 0, forced=True)
            outcome = self.run(self.store.take([nothing], final=True))
            assert isinstance(outcome, Taken)
            counter = self.counter(each)
            most = 0
            while counter.fits(self.now, counter.cost(most + 1)):
                most += 1
            assert outcome.levels[0].left == most, (each, outcome, counter)


def follow(make_store: Callable[[Clock], Awaitable[Store]], *, of_steady_time: bool) -> None:
    """Have a store do whatever comes, and say what the model says."""

    class OfStore(Machine):
        make = staticmethod(make_store)
        steady = of_steady_time

    run_state_machine_as_test(OfStore, settings=settings(stateful_step_count=40))

"""Replicas that lease slices from one store: what is done with them, and what was let in."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from extproc.errors import StoreUnavailable
from extproc.limits import Charge, Refused, Rule, Taken
from extproc.stores.leased import Leased
from extproc.stores.memory import MemoryCounters
from tests.stores.contract import Clock


class Shared:
    """The store of all replicas; behind a network, which takes its turns."""

    def __init__(self, clock: Clock, **settings: Any) -> None:
        self.store = MemoryCounters(clock=clock, **settings)
        self.trips = 0
        self.down = False

    async def take(self, charges: Sequence[Charge], *, final: bool = False) -> Taken | Refused:
        await self._reach()
        outcome = await self.store.take(charges, final=final)
        await asyncio.sleep(0)
        return outcome

    async def settle(self, taken: Taken, amounts: Sequence[int]) -> None:
        await self._reach()
        await self.store.settle(taken, amounts)
        await asyncio.sleep(0)

    async def _reach(self) -> None:
        self.trips += 1
        await asyncio.sleep(0)
        if self.down:
            raise StoreUnavailable("no answer")


@dataclass
class Exchange:
    replica: Leased
    taken: Taken
    when: int
    amount: int
    """What counts of it now: what was reserved, or what it really was."""
    open: bool = True


class Replicas:
    """So many, of one limit; everybody is the same caller."""

    def __init__(self, rule: Rule[Any], count: int, share: float, seconds: float = 5.0) -> None:
        self.rule = rule
        self.clock = Clock()
        self.shared = Shared(self.clock)
        self.slice = int(rule.max * share)
        self.all = [
            Leased(self.shared, share=share, seconds=seconds, clock=self.clock)
            for _ in range(count)
        ]
        self.exchanges: list[Exchange] = []

    async def ask(self, replica: int, amounts: Sequence[int], kept: int = 0) -> list[bool]:
        """Requests at the same time; which are let in."""
        asked = [
            Charge(self.rule, "acme", "alice", amount, min(kept, amount)) for amount in amounts
        ]
        store = self.all[replica % len(self.all)]
        outcomes = await asyncio.gather(*(store.take([charge]) for charge in asked))
        for amount, outcome in zip(amounts, outcomes, strict=True):
            if isinstance(outcome, Taken):
                self.exchanges.append(Exchange(store, outcome, self.clock.now, amount))
        return [isinstance(outcome, Taken) for outcome in outcomes]

    async def settle(self, index: int, share: float = 1.0) -> None:
        """The exchange took such a share of what it had reserved."""
        still_open = [each for each in self.exchanges if each.open]
        if still_open:
            exchange = still_open[index % len(still_open)]
            exchange.amount = int(exchange.amount * share)
            exchange.open = False
            await exchange.replica.settle(exchange.taken, [exchange.amount])

    async def end(self) -> None:
        """Every exchange ends, and every slice."""
        while any(each.open for each in self.exchanges):
            await self.settle(0)
        self.clock.pass_(5_000_000)
        for each in self.all:
            await each.sweep()

    async def left(self) -> int:
        nothing = Charge(self.rule, "acme", "alice", 0, forced=True)
        outcome = await self.shared.store.take([nothing], final=True)
        assert isinstance(outcome, Taken)
        return outcome.levels[0].left

    def let_in(self, since: int, until: int) -> int:
        """How much, both ends within."""
        return sum(each.amount for each in self.exchanges if since <= each.when <= until)

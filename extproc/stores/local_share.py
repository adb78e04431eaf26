"""A part of every limit, counted in this process, while the store that all share cannot be reached.

Rules: never unlimited, and never more than that part in all the time that this process runs: what
was counted here stays counted.  What was spent is charged to the store when it is back, whatever
its levels are; at most so many counters wait for that.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from msgspec import structs

from extproc.errors import StoreUnavailable
from extproc.limits import Charge, Counters, Refused, Rule, Taken
from extproc.stores.memory import MemoryCounters

_OWN: Final = "local:"
_MOST: Final = 10_000
"""Counters that wait to be charged."""
_PAUSE: Final = 0.2
"""Seconds between attempts to charge them."""
_LAST: Final = 1.0
"""Seconds in which a process that ends charges what it still can."""
_AT_ONCE: Final = 50
"""Charges of one attempt."""


class LocalShare:
    """``share`` of each limit, and at least 1, while ``counters`` cannot be reached."""

    def __init__(
        self,
        counters: Counters,
        local: MemoryCounters,
        share: float,
        frozen: Callable[[str], bool],
    ) -> None:
        """``frozen`` tells which groups are known to have been stopped."""
        self.takes = 0
        """That were counted here."""
        self.lost = 0
        """Counters of which it is not known any more what is to be charged."""
        self._counters, self._local, self._share = counters, local, share
        self._frozen = frozen
        self._open: set[str] = set()
        """Reservations that were made here, and are not settled."""
        self._debts: dict[tuple[str, str, str], Charge] = {}
        """What is to be charged, by rule, group and subject."""
        self._more = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """How many counters wait to be charged."""
        return len(self._debts)

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        with suppress(TimeoutError, StoreUnavailable):
            async with asyncio.timeout(_LAST):
                while self._debts:
                    await self._pay()

    async def take(self, charges: Sequence[Charge], *, final: bool = False) -> Taken | Refused:
        try:
            return await self._counters.take(charges, final=final)
        except StoreUnavailable:
            if any(self._frozen(charge.group) for charge in charges):
                return Refused((), frozen=True)
            outcome = await self._local.take([self._scaled(each) for each in charges], final=final)
        self.takes += 1
        if isinstance(outcome, Refused):
            return outcome
        if final:
            self._owe(charges, [charge.amount for charge in charges])
        name = f"{_OWN}{outcome.reservation}"
        if not final:
            self._open.add(name)
        return Taken(name, tuple(charges), outcome.marks, outcome.levels)

    async def settle(self, taken: Taken, amounts: Sequence[int]) -> None:
        if not taken.reservation.startswith(_OWN):
            await self._counters.settle(taken, amounts)
            return
        if taken.reservation not in self._open:
            return
        self._open.remove(taken.reservation)
        here = structs.replace(taken, reservation=taken.reservation.removeprefix(_OWN))
        await self._local.settle(here, amounts)
        self._owe(taken.charges, amounts)

    def _scaled(self, charge: Charge) -> Charge:
        return structs.replace(charge, rule=scaled(charge.rule, self._share))

    def _owe(self, charges: Sequence[Charge], amounts: Sequence[int]) -> None:
        for charge, amount in zip(charges, amounts, strict=True):
            key = charge.rule.name, charge.group, charge.subject
            known = self._debts.get(key)
            sum_ = amount + (known.amount if known is not None else 0)
            if not sum_:
                continue
            if known is None and len(self._debts) >= _MOST:
                self.lost += 1
                continue
            self._debts[key] = structs.replace(charge, amount=sum_, kept=sum_, forced=True)
        if self._debts:
            self._more.set()

    async def _run(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            while self._debts:
                with suppress(StoreUnavailable):
                    await self._pay()
                    continue
                await asyncio.sleep(_PAUSE)

    async def _pay(self) -> None:
        """Charge some of one group; of an attempt that is not answered the store undoes what came
        of it.
        """
        group = next(iter(self._debts.values())).group
        some = [(key, each) for key, each in self._debts.items() if each.group == group][:_AT_ONCE]
        charges = [charge for _, charge in some]
        outcome = await self._counters.take(charges)
        for key, charge in some:
            now = self._debts.pop(key)
            rest = now.amount - (0 if isinstance(outcome, Refused) else charge.amount)
            if rest:
                self._debts[key] = structs.replace(now, amount=rest, kept=rest)
        if isinstance(outcome, Refused):
            raise StoreUnavailable("the group is frozen")
        await self._counters.settle(outcome, [charge.amount for charge in charges])


def scaled(rule: Rule[Any], share: float) -> Rule[Any]:
    """The same limit, of a part of it."""
    return structs.replace(rule, max=max(1, int(rule.max * share)))  # type: ignore[type-var]

"""Settlements that are still to be made: tried again until their lease is over.

Rule: each is made once, however often it is tried, since a store settles a reservation once.  At
most so many wait; what is more, or too late, is given up and counted.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from msgspec import Struct

from extproc.errors import StoreUnavailable
from extproc.limits import Taken

MOST: Final = 10_000
"""Settlements that wait; of some 1,000 bytes each."""
_PAUSE: Final = 0.2
"""Seconds between attempts, while the store cannot be reached."""
_LAST: Final = 1.0
"""Seconds in which a process that ends makes those that it still can."""


class Debt(Struct, frozen=True):
    """One settlement, in seconds of the loop's time."""

    taken: Taken
    amounts: tuple[int, ...]
    until: float
    """When the lease is over."""
    due: float = 0.0
    """Not before then."""


class Owed:
    """Runs from ``start`` to ``close``."""

    def __init__(self, settle: Callable[[Debt], Awaitable[None]]) -> None:
        self.lost = 0
        self._settle = settle
        self._debts: deque[Debt] = deque()
        self._more = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._debts)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST):
                await self._pay()

    def add(self, debt: Debt) -> None:
        if len(self._debts) >= MOST:
            self.lost += 1
            return
        self._debts.append(debt)
        self._more.set()

    async def _run(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            await self._pay()

    async def _pay(self) -> None:
        loop = asyncio.get_running_loop()
        while self._debts:
            debt = self._debts[0]
            if loop.time() >= debt.until:
                self._debts.popleft()
                self.lost += 1
                continue
            if (early := debt.due - loop.time()) > 0:
                await asyncio.sleep(early)
            try:
                await self._settle(debt)
            except StoreUnavailable:
                await asyncio.sleep(_PAUSE)
            else:
                self._debts.popleft()

"""Takes alerts to one receiver, one after the other, until each is there or a day has passed.

Rule: an alert is tried again after a time that doubles, by a part of it that chance chooses, so
that replicas do not come back together; never sooner than the receiver asks for, which holds for an
hour at most.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from extproc.server.detection.spool import Kept
from extproc.server.detection.waiting import Waiting
from extproc.server.detection.webhook import Failed, Webhook
from extproc.server.record import Records

PATIENCE: Final = 86_400.0
"""Seconds after which an alert that nobody took is given up."""
FIRST: Final = 1.0
"""Seconds between the first attempt and the next."""
LONGEST: Final = 300.0
"""Between two attempts."""
ASKED: Final = 3600.0
"""The longest that a receiver is left alone because it asks for it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How time passes."""

    wall: Callable[[], float] = time.time  # noqa: TID251 - a clock that is taken
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = np.random.default_rng().random
    """From 0 to 1."""

    def wait(self, failures: int, asked: float) -> float:
        """Seconds after so many failures in a row."""
        doubled = min(LONGEST, FIRST * 2.0 ** min(failures - 1, 30))
        return max(doubled * (1 + self.chance()) / 2, min(asked, ASKED))


class Courier:
    def __init__(
        self,
        webhook: Webhook,
        waiting: Waiting,
        pace: Pace,
        outcome: Callable[[str], None],
        records: Records,
    ) -> None:
        """``outcome`` is called with what became of each attempt, and each alert."""
        self.waiting, self._webhook, self._pace = waiting, webhook, pace
        self._outcome, self._records = outcome, records
        self._failures = 0
        self._problem = ""

    async def run(self) -> None:
        """For ever; whoever cancels it waits for both of its tasks, as ``gather`` would not."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self.waiting.keep())
            both.create_task(self._deliver_all())

    async def close(self) -> None:
        await self._webhook.close()

    async def _deliver_all(self) -> None:
        while True:
            await self._deliver(await self.waiting.first())
            await self.waiting.done()

    async def _deliver(self, alert: Kept) -> None:
        while (failed := await self._attempt(alert)) is not None:
            self._failures += 1
            if self._pace.wall() - alert.made >= PATIENCE:
                self._outcome("given_up")
                return
            self._outcome("retried")
            await self._pace.pause(self._pace.wait(self._failures, failed.after))
        self._failures = 0
        self._outcome("delivered")

    async def _attempt(self, alert: Kept) -> Failed | None:
        try:
            failed = await self._webhook.send(alert.identity, alert.body, self._pace.wall())
        except Exception as error:  # noqa: BLE001 - its end would be the end of all alerts
            self._records.fault(error)
            failed = Failed("internal error")
        problem = failed.problem if failed is not None else ""
        if problem != self._problem:
            told = {"receiver": self._webhook.receiver.host, "problem": problem}
            self._records.add("alerts", told, "warning" if problem else "info")
        self._problem = problem
        return failed

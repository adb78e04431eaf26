"""How late the event loop is: what is due waits for whatever runs.

Rule: measured by the loop itself, as any request would be held up; the most since it was last asked
is what is told, so that a stall between two scrapes is not missed.
"""

import asyncio
from typing import Final

EVERY: Final = 0.1
"""Seconds between two looks."""


class LoopLag:
    def __init__(self) -> None:
        self._most = 0.0

    def take(self) -> float:
        """Seconds, at most, since this was asked last; from any thread."""
        most, self._most = self._most, 0.0
        return most

    async def run(self) -> None:
        """For as long as the sidecar serves."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + EVERY
            await asyncio.sleep(EVERY)
            self._most = max(self._most, loop.time() - due)

"""Says in the log when the store goes away, and when it is back.

Rule: a line for each change, not for each request that meets it, and one a second at most: of a
store that comes and goes within that only how it ends up is told.  Metrics count the rest.
"""

import asyncio
import time
from typing import Final

from extproc.config.stores import RedisStore, StoreSettings
from extproc.server.record import Level, Records
from extproc.stores.redis.accounts import RedisAccounts

PAUSE: Final = 1.0
"""Seconds between two lines."""


class StoreLog:
    """``changed`` is to be called whenever a connection is made, or lost."""

    def __init__(self, settings: StoreSettings, records: Records, pause: float = PAUSE) -> None:
        self._settings, self._records, self._pause = settings, records, pause
        self._changed = asyncio.Event()
        self._up, self._since = True, 0.0

    def changed(self) -> None:
        self._changed.set()

    async def run(self, store: RedisAccounts | None) -> None:
        """For as long as the sidecar serves; a store in memory never goes away."""
        while store is not None:
            await self._changed.wait()
            self._changed.clear()
            if store.up is not self._up:
                self._up = store.up
                self._tell(store)
                await asyncio.sleep(self._pause)

    def _tell(self, store: RedisAccounts) -> None:
        now = time.monotonic()
        if self._up:
            told = {"seconds": round(now - self._since, 1), "requests": "counted there again"}
            self._records.add("store back", told)
            return
        self._since = now
        assert isinstance(self._settings, RedisStore)
        requests, level = _meanwhile(self._settings)
        problem = next((link.fault for link in store.servers.links() if not link.up), "")
        self._records.add("store away", {"problem": problem, "requests": requests}, level)


def _meanwhile(settings: RedisStore) -> tuple[str, Level]:
    """What becomes of requests that have limits."""
    level: Level = "error"
    if settings.on_failure == "deny":
        then = "refused with 503"
    else:
        then, level = f"counted here, up to {settings.on_failure.local:g} of each limit", "warning"
    held = "served from slices that are held, then " if settings.slices is not None else ""
    return held + then, level

"""Alerts that wait for one receiver: in memory, and in files where there is a folder for them.

Rule: whoever adds one never waits, for a disk neither; what is in a file is taken out of it only
after it was delivered, or given up.  A disk that does not take one is no reason not to send it.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from extproc.server.detection.spool import Kept, Spool


class Waiting:
    """First come, first gone."""

    def __init__(self, spool: Spool | None, most: int, unkept: Callable[[], None]) -> None:
        """``unkept`` is called for each that the disk did not take."""
        self._spool, self._most, self._unkept = spool, most, unkept
        self._queue: deque[Kept] = deque()
        self._new: deque[Kept] = deque()
        """Those of them that are to be put into files."""
        self._safe = set[str]()
        """Those that are in files."""
        self._come, self._gone = asyncio.Event(), asyncio.Event()
        self._disk = asyncio.Lock()
        self._keep = asyncio.Event()

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def unsafe(self) -> int:
        """How many end with the process."""
        return len(self._queue) - len(self._safe)

    def add(self, alert: Kept) -> bool:
        """False where too many wait."""
        if len(self._queue) >= self._most:
            return False
        self._queue.append(alert)
        self._come.set()
        if self._spool is not None:
            self._new.append(alert)
            self._keep.set()
        return True

    async def load(self) -> None:
        """Begin with those that another process left.  Raise ConfigError."""
        if self._spool is not None:
            left = await asyncio.to_thread(self._spool.left, self._most)
            self._safe.update(alert.identity for alert in left)
            self._queue.extendleft(reversed(left))
            self._come.set()

    async def first(self) -> Kept:
        """Wait for one; it stays."""
        while not self._queue:
            self._come.clear()
            await self._come.wait()
        return self._queue[0]

    async def done(self) -> None:
        """Take the first one out."""
        async with self._disk:
            alert = self._queue.popleft()
            if alert.identity in self._safe:
                self._safe.discard(alert.identity)
                assert self._spool is not None
                await self._on_disk(self._spool.forget, alert)
            elif self._new and self._new[0] is alert:
                self._new.popleft()
        self._gone.set()

    async def empty(self) -> None:
        """Wait until nothing waits, in a file neither."""
        while self._queue:
            self._gone.clear()
            await self._gone.wait()
        async with self._disk:
            return

    async def keep(self) -> None:
        """Put whatever comes into files, for ever."""
        while True:
            await self._keep.wait()
            self._keep.clear()
            await self.keep_all()

    async def keep_all(self) -> None:
        async with self._disk:
            while self._new:
                assert self._spool is not None
                alert = self._new[0]
                if await self._on_disk(self._spool.keep, alert):
                    self._safe.add(alert.identity)
                self._new.popleft()  # only now: whoever is cut off meanwhile keeps it again

    async def _on_disk(self, doing: Callable[[Kept], None], alert: Kept) -> bool:
        try:
            await asyncio.to_thread(doing, alert)
        except OSError:
            self._unkept()
            return False
        return True

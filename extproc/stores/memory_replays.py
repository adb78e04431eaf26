"""Nonces of one process: which signed requests were served before.

Rule: what it cannot know it does not say: of a request that may have been shown before it began, or
whose nonce was forgotten, nobody is told that it is the first.
"""

import heapq

from extproc.credentials import Once
from extproc.errors import StoreUnavailable


class MemoryReplays:
    """At most ``capacity`` nonces, of some 250 bytes each.

    Of what may have been shown before it ``began``, or was forgotten, it cannot say whether it was.
    """

    def __init__(self, capacity: int = 300_000, *, began: float) -> None:
        """``began`` is when this process did, in seconds of wall time."""
        self._capacity = capacity
        self._began = began
        self._shown: set[str] = set()
        self._ending: list[tuple[float, str]] = []
        """A heap, by when each may be forgotten."""
        self._forgotten = 0.0
        """The latest ``until`` that was forgotten, for a clock that steps back: what is kept ends
        later, so that it only grows."""

    async def first(self, once: Once, *, now: float) -> bool:
        if once.key in self._shown:
            return False
        self._forget(now)
        if once.since < self._began or once.until <= self._forgotten:
            raise StoreUnavailable("it may have been shown when nobody kept that")
        if len(self._shown) >= self._capacity:
            raise StoreUnavailable(f"all {self._capacity} nonces are of live signatures")
        self._shown.add(once.key)
        heapq.heappush(self._ending, (once.until, once.key))
        return True

    def _forget(self, now: float) -> None:
        """Two at a time: as many as come could not all go at once without a wait."""
        for _ in range(2):
            if self._ending and self._ending[0][0] < now:
                self._forgotten, key = heapq.heappop(self._ending)
                self._shown.remove(key)

"""Counters and nonces of one process: what a single sidecar needs, and what tests run on.

Rules: nothing is awaited between reading and writing, so that calls on one event loop are atomic.
A counter is forgotten only when it would say the same as a new one; when all are live and the
store is full, requests that need another are refused.
"""

import heapq
from collections.abc import Collection, Sequence

from extproc.credentials import Once
from extproc.errors import StoreUnavailable
from extproc.limits import Charge, Exhausted, arrive, nanoseconds


class MemoryCounters:
    """At most ``capacity`` counters, of some 300 bytes each."""

    def __init__(self, capacity: int = 100_000) -> None:
        self._capacity = capacity
        self._expected: dict[str, int] = {}
        self._idle: list[tuple[int, str]] = []
        """A heap of when each counter was expected to be idle when last looked at; a request since
        then only puts that off."""
        self._forgotten = 0
        """The latest of the times forgotten.  It stands in for each of them, so that a clock which
        steps back refills nothing."""

    async def take(self, charges: Sequence[Charge], *, now: float) -> Exhausted | None:
        moment = nanoseconds(now)
        following: dict[str, int] = {}
        refusals: list[Exhausted] = []
        for charge in charges:
            expected = self._expected.get(charge.key, self._forgotten)
            outcome = arrive(expected, charge, moment)
            if isinstance(outcome, Exhausted):
                refusals.append(outcome)
            else:
                following[charge.key] = outcome
        if refusals:
            return max(refusals, key=lambda refusal: refusal.retry_after)
        self._write(following, moment)
        return None

    def _write(self, following: dict[str, int], now: int) -> None:
        self._make_room(following, now)
        for key, expected in following.items():
            if key not in self._expected:
                heapq.heappush(self._idle, (expected, key))
            self._expected[key] = expected

    def _make_room(self, wanted: Collection[str], now: int) -> None:
        """Forget as many idle counters as are in the way of those that are wanted."""
        while self._lacks_room(wanted):
            if not self._idle or self._idle[0][0] > now:
                raise StoreUnavailable(f"all {self._capacity} counters are in use")
            _, key = self._idle[0]
            expected = self._expected[key]
            if expected > now:
                heapq.heapreplace(self._idle, (expected, key))
            else:
                heapq.heappop(self._idle)
                del self._expected[key]
                self._forgotten = max(self._forgotten, expected)

    def _lacks_room(self, wanted: Collection[str]) -> bool:
        new = sum(key not in self._expected for key in wanted)
        return len(self._expected) + new > self._capacity


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

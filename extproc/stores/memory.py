"""Counters of one process: what a single sidecar needs, and what tests run on.

Rules: nothing is awaited between reading and writing, so that calls on one event loop are atomic.
A counter is forgotten only when it would say the same as a new one; when all are live and the
store is full, requests that need another are refused.
"""

import heapq
from collections.abc import Collection, Sequence

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

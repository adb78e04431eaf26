"""What has been observed and is not counted yet: a bounded queue.

Rule: to put something in takes a moment, whatever is there.  What finds no place is counted, and
its volume is kept, by whose it is: of a flood its inputs are lost, not that it was one.
"""

import asyncio
from collections import deque
from typing import Final

from msgspec.structs import replace

from extproc.detectors.observation import Observation

PLACES: Final = 10_000
SIZE: Final = 64 << 20
"""Bytes of inputs."""
_CROWD: Final = 1_000
"""Callers whose volume is kept apart where there is no place."""


class Inbox:
    def __init__(self, places: int = PLACES, size: int = SIZE) -> None:
        self.unseen = 0
        """Exchanges that found no place."""
        self.unread = 0
        """Those whose inputs found none."""
        self.filled = asyncio.Event()
        self._places, self._size = places, size
        self._waiting: deque[tuple[Observation, int]] = deque()
        self._held = 0
        self._volumes: dict[tuple[str, str, str], Observation] = {}

    def __len__(self) -> int:
        return len(self._waiting) + len(self._volumes)

    def put(self, observation: Observation, size: int) -> None:
        """``size`` is how many bytes its inputs take."""
        if len(self._waiting) >= self._places:
            self.unseen += 1
            self._sum_up(observation)
        else:
            if self._held + size > self._size:
                self.unread += 1
                observation, size = replace(observation, inputs=(), digests=()), 0
            self._held += size
            self._waiting.append((observation, size))
        self.filled.set()

    def take(self) -> Observation | None:
        """The oldest; then what is known of those that found no place."""
        if self._waiting:
            observation, size = self._waiting.popleft()
            self._held -= size
            return observation
        if self._volumes:
            return self._volumes.popitem()[1]
        self.filled.clear()
        return None

    def first(self) -> Observation | None:
        """What ``take`` would return."""
        return self._waiting[0][0] if self._waiting else None

    def _sum_up(self, observation: Observation) -> None:
        whose = observation.tenant, observation.principal, observation.route
        known = self._volumes.get(whose)
        if known is not None:
            queries = known.queries + observation.queries
            self._volumes[whose] = replace(known, queries=queries)
        elif len(self._volumes) < _CROWD:
            self._volumes[whose] = replace(observation, inputs=(), digests=())

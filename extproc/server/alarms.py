"""Who is called when: one heap for all exchanges, and one timer of the event loop.

Rule: instants are absolute, on a clock that never goes back; who is called late is not called later
the next time.  No turn of the loop is taken for longer than ``TURN``: what is due beyond it waits
for the next, so that others have theirs.
"""

import asyncio
import time
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from math import ceil
from typing import Final, Protocol

TURN: Final = 0.002
"""Seconds."""

Clock = Callable[[], float]


class Timer(Protocol):
    def cancel(self) -> None: ...


Arm = Callable[[float, Callable[[], None]], Timer]
"""Call back in so many seconds, or a little earlier or later; see loop.call_later."""


def _of_the_loop(delay: float, callback: Callable[[], None]) -> Timer:
    return asyncio.get_running_loop().call_later(delay, callback)


class Alarm:
    """One call to come."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Its place in the heap stays until its instant: at most one for each exchange and tick."""
        self.callback = None


class Alarms:
    """Only the event loop touches them."""

    def __init__(self, clock: Clock = time.monotonic, arm: Arm = _of_the_loop) -> None:
        self.clock = clock
        self._arm = arm
        self._heap: list[tuple[float, int, Alarm]] = []
        self._numbers = count()
        self._timer: Timer | None = None
        self._armed = 0.0
        """The instant the timer is set to."""

    def at(self, instant: float, callback: Callable[[], None]) -> Alarm:
        """Call back once, at the instant or as soon after it as may be, never before."""
        alarm = Alarm(callback)
        heappush(self._heap, (instant, next(self._numbers), alarm))
        self._set()
        return alarm

    def _set(self) -> None:
        """Have the timer go off for the earliest of all."""
        if not self._heap:
            return
        earliest = self._heap[0][0]
        if self._timer is not None:
            if self._armed <= earliest:
                return
            self._timer.cancel()
        # Timers of the loop count thousandths and round: rounded up, few of them come too early.
        delay = max(0.0, ceil((earliest - self.clock()) * 1000) / 1000)
        self._armed, self._timer = earliest, self._arm(delay, self._ring)

    def _ring(self) -> None:
        self._timer = None
        now = self.clock()
        stop = now + TURN
        while self._heap and self._heap[0][0] <= now:
            _, _, alarm = heappop(self._heap)
            if alarm.callback is not None:
                alarm.callback()
                now = self.clock()
                if now >= stop:
                    break
        self._set()

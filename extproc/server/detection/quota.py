"""How many alerts there are about one subject: so many an hour, however often it changes.

Rule: what is held back is counted, and told with the next alert about the subject.
"""

from collections import OrderedDict, deque
from typing import Final

HOURLY: Final = 12
"""Alerts about one subject."""
SUBJECTS: Final = 10_000
"""That are remembered; beyond them the one that was told of longest ago is forgotten."""
_HOUR: Final = 3600.0


class Quota:
    def __init__(self, hourly: int = HOURLY, most: int = SUBJECTS) -> None:
        self._hourly, self._most = hourly, most
        self._told: OrderedDict[str, tuple[deque[float], int]] = OrderedDict()
        """When there was one, and how many were held back since."""

    def take(self, subject: str, now: float) -> int | None:
        """How many were held back since the last one; None where this one is, too."""
        times, held_back = self._told.pop(subject, (deque[float](), 0))
        while times and times[0] <= now - _HOUR:
            times.popleft()
        allowed = len(times) < self._hourly
        if allowed:
            times.append(now)
        self._told[subject] = (times, 0 if allowed else held_back + 1)
        if len(self._told) > self._most:
            self._told.popitem(last=False)
        return held_back if allowed else None

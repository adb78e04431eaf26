"""How many callers of each policy may be put on a step of escalation: so many in an hour.

Pure: time is a parameter, in seconds since 1970; see limits.Sliding, which also says what becomes
of it where a clock is set back.
"""

from typing import Final, Protocol

from extproc.limits import SECOND, Sliding, microseconds

HOUR: Final = 3600.0
"""Seconds."""


class Allowing(Protocol):
    @property
    def held_back(self) -> int:
        """Times that somebody was not put on a step, since too many had been in that hour."""
        ...

    def take(self, policy: str, hourly: int, subject: str, now: float) -> bool:
        """Whether one caller more may be put on a step, which is then counted; ``hourly`` 0 for no
        bound.
        """
        ...


class Allowances:
    """Of one process."""

    def __init__(self) -> None:
        self.held_back = 0
        self._put: dict[str, bytes] = {}
        """What each policy has taken."""

    def take(self, policy: str, hourly: int, _subject: str, now: float) -> bool:
        if not hourly:
            return True
        rule, time = Sliding("escalations", hourly, microseconds(HOUR)), int(now * SECOND)
        state = self._put.get(policy)
        if rule.wait(state, time, 1):
            self.held_back += 1
            return False
        self._put[policy] = rule.add(state, time, 1)
        return True

"""Hours, days and months of a time zone, and lifetimes.

Rule: every moment is in one period, and periods follow each other without a gap, whatever a zone
does to its clocks.  A day that is left out has no period; one that has 25 hours is one period; of
an hour that is repeated each time is one.  A day begins when its midnight is first shown; where
there is none, when the one before has lasted 24 hours (PEP 495: fold 0).
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final, Literal

from extproc.limits.rule import NEVER, SECOND

Period = Literal["hour", "day", "month", "lifetime"]

_HOUR: Final = 3600


class Periods:
    """Those of one kind in one time zone."""

    def __init__(self, period: Period, zone: tzinfo = UTC) -> None:
        self.period = period
        self.zone = zone
        self._last = (0, 0)
        """The period that was asked for last: asking the calendar takes microseconds."""

    def end(self, now: int) -> int:
        """The end of the period that now is in; both in microseconds."""
        start, end = self._last
        if not start <= now < end:
            self._last = _, end = self._around(now)
        return end

    def ends(self, now: int) -> tuple[int, int, int]:
        """The ends of the period before, of this one, and of the next: for whoever's clock is
        another.
        """
        start, end = self._around(now)
        return start, end, self._around(end)[1]

    def _around(self, now: int) -> tuple[int, int]:
        if self.period == "lifetime":
            return 0, NEVER
        second = now // SECOND
        if self.period == "hour":
            start, end = self._hour(second)
        else:
            start, end = self._days(second, _day if self.period == "day" else _month)
        return start * SECOND, end * SECOND

    def _hour(self, now: int) -> tuple[int, int]:
        """As the clock shows it; cut where the clock is set by a part of an hour."""
        offset = self._offset(now)
        start = now - (now + offset) % _HOUR
        end = start + _HOUR
        if self._offset(start) != offset:
            start = self._change(start, now)
        if self._offset(end - 1) != offset:
            end = self._change(now, end - 1)
        return start, end

    def _change(self, before: int, after: int) -> int:
        """The first second with the offset of the one after."""
        offset = self._offset(after)
        while after - before > 1:
            middle = (before + after) // 2
            if self._offset(middle) == offset:
                after = middle
            else:
                before = middle
        return after

    def _offset(self, second: int) -> int:
        offset = datetime.fromtimestamp(second, self.zone).utcoffset()
        assert offset is not None
        return round(offset.total_seconds())

    def _days(self, now: int, first: Callable[[date, int], date]) -> tuple[int, int]:
        """The clock may show the date of a neighbour: set back over midnight, or forth over it."""
        day = first(datetime.fromtimestamp(now, self.zone).date(), 0)
        while (start := self._midnight(day)) > now:
            day = first(day, -1)
        while (end := self._midnight(first(day, 1))) <= now:
            day, start = first(day, 1), end
        return start, end

    def _midnight(self, day: date) -> int:
        return round(datetime(day.year, day.month, day.day, tzinfo=self.zone).timestamp())


def _day(day: date, further: int) -> date:
    return day + timedelta(days=further)


def _month(day: date, further: int) -> date:
    """Its first day, or that of the one before or after it."""
    month = day.year * 12 + day.month - 1 + further
    return date(month // 12, month % 12 + 1, 1)

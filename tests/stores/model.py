"""Limits in a form that is plainly right, and slow: every charge is kept, and summed when asked.

It shares no arithmetic with extproc.limits.  Its calendar has days of UTC only.
"""

from dataclasses import dataclass, field
from typing import Any

from extproc.limits import Calendar, Concurrency, Rate, Rule, Sliding

DAY = 24 * 3600 * 1_000_000


@dataclass
class Entry:
    """One charge of one counter."""

    when: int
    cost: int
    empty: int
    """Of a rate: when its bucket would have been empty again."""


@dataclass
class Counter:
    rule: Rule[Any]
    entries: list[Entry] = field(default_factory=list)
    filled: int = 0
    """Of a rate: how full its bucket was, in microseconds of refill, when it was ``seen``."""
    seen: int = 0

    def fits(self, now: int, cost: int) -> bool:
        """Whether so much may be added."""
        most = self.rule.max
        if isinstance(self.rule, Rate):
            most = max(self.rule.window, self.rule.max * self.cost(1))
        return self.level(now) + cost <= most

    def cost(self, amount: int) -> int:
        if not isinstance(self.rule, Rate):
            return amount
        whole, rest = divmod(amount * self.rule.window, self.rule.max)
        return whole + (rest > 0)

    def level(self, now: int) -> int:
        if isinstance(self.rule, Rate):
            self.filled, self.seen = max(0, self.filled - (now - self.seen)), now
            return self.filled
        return sum(entry.cost for entry in self.entries if self._counts(entry, now))

    def add(self, now: int, cost: int) -> Entry:
        self.filled, self.seen = self.level(now) + cost, now
        entry = Entry(now, cost, now + self.filled)
        self.entries.append(entry)
        return entry

    def back(self, now: int, entry: Entry, cost: int) -> None:
        if isinstance(self.rule, Rate):
            self.filled = self.level(now) - max(0, min(cost, entry.empty - now))
        entry.cost -= cost

    def grant(self, now: int, cost: int | None) -> None:
        if isinstance(self.rule, Concurrency):
            return
        level = self.level(now)
        if isinstance(self.rule, Rate):
            self.filled = 0 if cost is None else max(0, level - cost)
        elif cost is not None:
            self.add(now, -cost)
        else:
            for part in {self._part(entry.when) for entry in self.entries}:
                spent = sum(each.cost for each in self.entries if self._part(each.when) == part)
                self.entries.append(Entry(part * self._length(), -max(0, spent), 0))

    def _counts(self, entry: Entry, now: int) -> bool:
        if isinstance(self.rule, Concurrency):
            return True
        older = 8 if isinstance(self.rule, Sliding) else 0
        return self._part(now) - self._part(entry.when) <= older

    def _part(self, when: int) -> int:
        return when // self._length()

    def _length(self) -> int:
        assert isinstance(self.rule, Sliding | Calendar)
        return self.rule.window // 8 if isinstance(self.rule, Sliding) else DAY

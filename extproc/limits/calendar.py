"""A budget of an hour, a day or a month of the calendar, or of a lifetime.

The state is one whole number: what was spent, above the bits of the end of its period.  A clock
that steps back stays in the period that it was in; what was spent there stays spent.
"""

from typing import Final

from msgspec import Struct

from extproc.limits.periods import Periods
from extproc.limits.rule import NEVER

_BITS: Final = NEVER.bit_length()
_END: Final = (1 << _BITS) - 1


class Calendar(Struct, frozen=True):
    """At most ``max`` in each period."""

    name: str
    max: int
    periods: Periods

    @property
    def capacity(self) -> int:
        return self.max

    def cost(self, amount: int) -> int:
        return amount

    def amount(self, cost: int) -> int:
        return cost

    def level(self, state: int | None, now: int) -> int:
        return state >> _BITS if state is not None and now < state & _END else 0

    def add(self, state: int | None, now: int, cost: int) -> int:
        if state is not None and now < state & _END:
            return state + (cost << _BITS)
        return packed(self.periods.end(now), cost)

    def mark(self, state: int) -> int:
        return state & _END

    def back(self, state: int, now: int, cost: int, mark: int) -> int:
        """Only in the period that it was taken from."""
        return state - (cost << _BITS) if state & _END == mark else state

    def grant(self, state: int | None, now: int, cost: int | None) -> int | None:
        """In the period that is running."""
        level = self.level(state, now)
        return self.add(state, now, -max(0, level) if cost is None else -cost)

    def wait(self, state: int | None, now: int, cost: int) -> int:
        if self.level(state, now) + cost <= self.max:
            return 0
        if state is None or cost > self.max:
            return NEVER - now
        return (state & _END) - now

    def idle(self, state: int) -> int:
        return state & _END


def packed(end: int, spent: int) -> int:
    """A state; what is spent is less than 0 where more was granted."""
    return (spent << _BITS) + end

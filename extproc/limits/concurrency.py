"""How much may be under way at one time."""

from typing import Final

from msgspec import Struct

from extproc.limits.rule import NEVER, SECOND

_SOON: Final = SECOND
"""When what is under way ends nobody knows."""


class Concurrency(Struct, frozen=True):
    """At most ``max`` at one time; a charge is given back whole when it is settled."""

    name: str
    max: int

    @property
    def capacity(self) -> int:
        return self.max

    def cost(self, amount: int) -> int:
        return amount

    def amount(self, cost: int) -> int:
        return cost

    def level(self, state: int | None, now: int) -> int:
        return state or 0

    def add(self, state: int | None, now: int, cost: int) -> int:
        return (state or 0) + cost

    def mark(self, state: int) -> int:
        return 0

    def back(self, state: int, now: int, cost: int, mark: int) -> int:
        return max(0, state - cost)

    def grant(self, state: int | None, now: int, cost: int | None) -> int | None:
        """Nothing: what is under way is not spent, and comes back by itself."""
        return state

    def wait(self, state: int | None, now: int, cost: int) -> int:
        if cost > self.max:
            return NEVER - now
        return _SOON if self.level(state, now) + cost > self.max else 0

    def idle(self, state: int) -> int:
        """A lease that ends gives back what is under way."""
        return NEVER if state else 0

"""What limits have in common: a state that is one small value, and pure arithmetic on it.

Rules.  Time is a parameter, in whole microseconds since 1970, and so is every amount a whole
number: a float's rounding would let requests through that a limit should stop, and Redis' scripts
count in floats that hold whole numbers below 2**53 exactly.  A clock that steps back refuses, it
never refills.  What is settled late, or is more than was reserved, may lift a level above the
capacity; then nothing is taken until it has come down.  A grant may lower it below 0.
"""

from collections.abc import Hashable
from typing import Final, Protocol, TypeVar

SECOND: Final = 1_000_000
"""Microseconds."""
NEVER: Final = 1 << 52
"""The moment at which it happens what never does: in the year 2112, in microseconds since 1970."""

State = TypeVar("State", bound=Hashable)


class Rule(Protocol[State]):
    """One limit.  ``cost`` is what an amount makes in the rule's own measure, that of its level.

    A mark says which part of a state a charge went to, so that it is taken back from there and
    nowhere else.
    """

    @property
    def name(self) -> str: ...

    @property
    def max(self) -> int:
        """How much may be taken, in the unit that is counted."""
        ...

    @property
    def capacity(self) -> int:
        """The highest level at which something can have been taken."""
        ...

    def cost(self, amount: int) -> int: ...

    def amount(self, cost: int) -> int:
        """How many whole units that is."""
        ...

    def level(self, state: State | None, now: int) -> int:
        """How much of the capacity is in use; None is a counter without history."""
        ...

    def add(self, state: State | None, now: int, cost: int) -> State:
        """Count it, whatever the level is."""
        ...

    def mark(self, state: State) -> int:
        """Where a charge went that made this state."""
        ...

    def back(self, state: State, now: int, cost: int, mark: int) -> State:
        """Take back of a charge what was too much, as far as time has not done so already.

        The level is never lower than if only the rest had been charged.
        """
        ...

    def grant(self, state: State | None, now: int, cost: int | None) -> State | None:
        """Give so much, whoever took it; None is all that was taken, and no more."""
        ...

    def wait(self, state: State | None, now: int, cost: int) -> int:
        """Microseconds after which such a charge fits, if nothing else comes; 0 where it fits.

        What is more than fits an unused counter has to wait for the moment NEVER.
        """
        ...

    def idle(self, state: State) -> int:
        """From when on it says the same as no state at all; NEVER where time does not do it."""
        ...


def microseconds(seconds: float) -> int:
    return round(seconds * SECOND)

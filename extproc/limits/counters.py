"""What a store of counters promises; tests/stores/contract.py is the proof."""

from collections.abc import Sequence
from typing import Any, Protocol

from msgspec import Struct

from extproc.limits.charge import Charge, Refused, Taken
from extproc.limits.rule import Rule


class Counters(Protocol):
    async def take(self, charges: Sequence[Charge], *, final: bool = False) -> Taken | Refused:
        """Count all of these, or none.

        ``final``: what is charged is known already, and nothing will be settled.

        Atomic: of two calls at a time which fit only singly one is refused, whatever process or
        replica they are made in.  Charges of several groups may be taken one group after another;
        what was taken is given back where a later group refuses.  Time is the store's own.
        Raise StoreUnavailable where the outcome is unknown, or the store has lost what it knew.
        """
        ...

    async def settle(self, taken: Taken, amounts: Sequence[int]) -> None:
        """Charge these amounts in place of those that were reserved, once: in the order of its
        charges, in their units.  What is settled again stays as it is.

        Raise StoreUnavailable where the outcome is unknown; then it may be tried again.
        """
        ...


class Standing(Struct, frozen=True):
    """One counter, as an operator sees it."""

    rule: str
    subject: str
    spent: int
    """In the rule's unit; less than 0 where more was granted than was spent."""
    left: int
    reset: int
    """Microseconds; see Level."""
    age: int = 0
    """Microseconds since the oldest of what a window still counts; 0 where nobody knows."""


class Account(Struct, frozen=True):
    """The counters of one group."""

    frozen: bool
    standings: tuple[Standing, ...]
    more: int = 0
    """How many counters there are beside these."""


class Accounts(Protocol):
    """What an operator may do about counters; a store's, beside Counters."""

    @property
    def together(self) -> int:
        """Charges that were counted together with others', for want of a counter."""
        ...

    async def read(self, group: str, rules: Sequence[Rule[Any]], *, most: int) -> Account:
        """The counters of these rules that are most used, at most so many."""
        ...

    async def grant(
        self, group: str, rule: Rule[Any], subject: str, amount: int | None = None
    ) -> None:
        """Give back so much of what was spent, or more than that; None is all of it, and no more.

        Of a rate no more than was spent.
        """
        ...

    async def freeze(self, group: str, *, frozen: bool) -> None:
        """Have everything be refused that is to be taken of a group; or no longer."""
        ...

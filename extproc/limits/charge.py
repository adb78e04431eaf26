"""What is taken of limits: reserved first, settled when it is known what it was.

Rule: of several charges all are taken, or none.  What is never settled (its process died) is held
until its lease ends; then what is certain stays charged (``kept``) and the rest is given back.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal

from msgspec import Struct

from extproc.limits.rule import Rule
from extproc.prediction import Kind

Unit = Literal[
    "requests",
    "queries",
    "tokens",
    "credits",
    "bits",
    "concurrent",
    "privacy",  # mu squared, in billionths: see privacy/cost.py
    "epsilon",  # the same of a promise whose delta is 0
]
PRIVATE: Final = frozenset[Unit]({"privacy", "epsilon"})
"""What is told stays told: a charge of these is never more than is left."""


class Charge(Struct, frozen=True, gc=False):
    """So much of one limit."""

    rule: Rule[Any]
    group: str
    """Whose counters it stands among: those of one group are taken in one step, whatever the store.
    A tenant's name, or of those that tenants share, empty or that of a cohort."""
    subject: str
    """Whom it counts, among those that the rule tells apart; empty for all of the group."""
    amount: int
    """In the rule's unit; the worst case, where it is not known yet."""
    kept: int = 0
    """Of it, what stays charged where it is never settled."""
    forced: bool = False
    """Counted whatever the level is: what follows from exhaustion is not to refuse."""
    unit: Unit = "requests"
    """What the amount is of."""
    kinds: frozenset[Kind] = frozenset()
    """Of bits and of privacy, those of these kinds; all where there is none."""


class Level(Struct, frozen=True, gc=False):
    """Where a counter stands after a charge."""

    left: int
    """In the rule's unit; 0 where more was taken than there is."""
    reset: int
    """Microseconds until it says the same as an unused one: until NEVER where time does not do
    that."""


class Taken(Struct, frozen=True, gc=False):
    """All were taken."""

    reservation: str
    """Its name in the store that it was taken from."""
    charges: tuple[Charge, ...]
    marks: tuple[int, ...]
    """See Rule; one for each charge."""
    levels: tuple[Level, ...]
    """One for each charge."""


class Wait(Struct, frozen=True):
    """One charge that does not fit."""

    index: int
    """Its place among those that were asked for."""
    microseconds: int
    """After which it would, if nothing else came."""


class Refused(Struct, frozen=True):
    """None was taken."""

    waits: tuple[Wait, ...]
    """Every one that does not fit; none where the group is frozen."""
    frozen: bool = False
    """Whether an operator has stopped the tenant."""


class Reserved(Struct, frozen=True):
    """What a store said to an exchange that asked."""

    outcome: Taken | Refused | None
    """None where it could not say."""
    spent: bool = False
    """Whether what was to be shown once was shown before; then nothing was taken."""
    now: float = 0.0
    """Seconds of wall time."""
    salt: bytes = b""
    """Octets that nobody can foresee, where something was refused."""
    recalled: Sequence[int | None] = ()
    """What was told before, where that was asked; see Memos.  None at all where nobody can say."""

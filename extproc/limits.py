"""Limits: rates over seconds, decided by the generic cell rate algorithm.

GCRA (ITU-T I.371, Annex A) keeps one number per key, the theoretical arrival time of the next
request, and so has no window edge at which twice the rate slips through.  Rules: several limits are
taken all or none; time is always a parameter; sums are whole nanoseconds, since a clock's floats
lose the interval of a fast limit to rounding, and the limit with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

_SECOND: Final = 1_000_000_000
_ROUNDING: Final = 1_000
"""What adding a wait to a clock of floats may lose, in nanoseconds, at today's seconds since 1970
four times over."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``max`` requests in any burst, refilled evenly over ``window`` seconds."""

    name: str
    per: Literal["principal", "tenant"]
    max: int
    window: float
    interval: int = field(init=False)
    """Nanoseconds between two requests at the sustained rate, rounded up."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "interval", -(-nanoseconds(self.window) // self.max))


@dataclass(frozen=True, slots=True)
class Charge:
    """One request to count against one limit."""

    key: str
    """Whose counter: unique over limits, principals and tenants."""
    limit: Limit


@dataclass(frozen=True, slots=True)
class Exhausted:
    """The limit that refused, and when to come back."""

    limit: str
    retry_after: float
    """Seconds; whoever waits that long, and asks alone, is let in."""


def nanoseconds(seconds: float) -> int:
    return round(seconds * _SECOND)


def arrive(expected: int, charge: Charge, now: int) -> int | Exhausted:
    """Return the next expected arrival after this request, or that the limit is exhausted.

    Times are nanoseconds.  ``expected`` is the stored theoretical arrival time on the clock of
    ``now``; a key without history has 0.  A clock that steps back refuses, it never refills.
    """
    interval = charge.limit.interval
    following = max(expected, now) + interval
    early = following - now - interval * charge.limit.max
    if early > 0:
        return Exhausted(charge.limit.name, (early + _ROUNDING) / _SECOND)
    return following


class Counters(Protocol):
    """What a store promises; tests/stores/contract.py is the proof."""

    async def take(self, charges: Sequence[Charge], *, now: float) -> Exhausted | None:
        """Count one request against every limit, or against none of them; ``now`` is in seconds.

        Atomic: of two concurrent calls which fit only singly, one is refused.  Of several limits
        that refuse, the one named is the last to let the request in.
        Raise StoreUnavailable when the outcome is unknown.
        """
        ...

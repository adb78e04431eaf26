"""A budget of any time of a given length: what is older no longer counts.

The time is cut into eighths.  What counts are the one that is running and the eight before it, so
that in no window whatever more is taken than the budget; what was spent counts for up to an eighth
longer than it should, never shorter.
"""

import struct
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from extproc.limits.rule import NEVER

PARTS: Final = 8
_STATE: Final = struct.Struct(f"<q{PARTS + 1}q")
_MOST: Final = 1 << 62
"""What is spent is counted up to here, so that it fits."""


class Sliding(Struct, frozen=True):
    """At most ``max`` in any time of length ``window``."""

    name: str
    max: int
    window: int
    """Microseconds."""

    @property
    def capacity(self) -> int:
        return self.max

    @property
    def part(self) -> int:
        """Microseconds of an eighth, rounded up."""
        return -(-self.window // PARTS)

    def cost(self, amount: int) -> int:
        return amount

    def amount(self, cost: int) -> int:
        return cost

    def level(self, state: bytes | None, now: int) -> int:
        return sum(self._parts(state, now)[1]) if state is not None else 0

    def add(self, state: bytes | None, now: int, cost: int) -> bytes:
        newest, spent = self._parts(state, now)
        spent[0] += cost
        return packed(newest, spent)

    def mark(self, state: bytes) -> int:
        return _unpacked(state)[0]

    def back(self, state: bytes, now: int, cost: int, mark: int) -> bytes:
        """Only in the part that it was taken from."""
        newest, spent = self._parts(state, now)
        if 0 <= newest - mark <= PARTS:
            spent[newest - mark] -= cost
        return packed(newest, spent)

    def grant(self, state: bytes | None, now: int, cost: int | None) -> bytes | None:
        """In the part that is running: it counts for as long as what is spent now."""
        newest, spent = self._parts(state, now)
        if cost is None:
            return packed(newest, [min(each, 0) for each in spent])
        spent[0] -= cost
        return packed(newest, spent)

    def wait(self, state: bytes | None, now: int, cost: int) -> int:
        newest, spent = self._parts(state, now)
        for passed in range(PARTS + 2):
            if sum(spent[: PARTS + 1 - passed]) + cost <= self.max:
                return max(0, (newest + passed) * self.part - now) if passed else 0
        return NEVER - now

    def idle(self, state: bytes) -> int:
        return (self.mark(state) + PARTS + 1) * self.part

    def age(self, state: bytes, now: int) -> int:
        """How long ago the oldest part began of what counts."""
        newest, spent = self._parts(state, now)
        oldest = max((part for part, amount in enumerate(spent) if amount), default=0)
        return max(0, now - (newest - oldest) * self.part)

    def _parts(self, state: bytes | None, now: int) -> tuple[int, list[int]]:
        """What counts now; a clock that steps back stays in the part that it was in."""
        current = now // self.part
        if state is None:
            return current, [0] * (PARTS + 1)
        newest, *spent = _unpacked(state)
        passed = current - newest
        if passed <= 0:
            return newest, spent
        return current, [0] * min(passed, PARTS + 1) + spent[: max(0, PARTS + 1 - passed)]


def packed(newest: int, spent: Sequence[int]) -> bytes:
    """A state: the number of the newest part, and what was spent in each, the newest first.

    Without the zeros at its end, which are most of what was spent once.
    """
    within = [max(-_MOST, min(each, _MOST)) for each in spent]
    return _STATE.pack(newest, *within).rstrip(b"\0")


def _unpacked(state: bytes) -> tuple[int, ...]:
    return _STATE.unpack(state.ljust(_STATE.size, b"\0"))

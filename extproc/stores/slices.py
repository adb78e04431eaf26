"""Slices of limits that a replica holds, and what becomes of each: pure bookkeeping of Leased.

Rule: a slice is charged whole before any of it is used, and serves only while a charge made now
would count as long as it does: to the end of its period, or of its part of a sliding window.
"""

from typing import Any, Final

from extproc.limits import PARTS, Calendar, Charge, Concurrency, Level, Rule, Sliding, Taken

FEW: Final = 4
"""Requests that a slice serves at least; below it is not worth leasing."""


class Slice:
    """Of one counter: what there is left of it, and what of it is under way."""

    __slots__ = ("counter", "ends", "kept", "lease", "left", "reserved", "size")

    def __init__(self, counter: "Counter", size: int, ends: int, lease: "Lease") -> None:
        self.counter = counter
        self.size = size
        self.ends = ends
        """From when on what is given back of it makes no difference."""
        self.lease: Lease | None = lease
        self.left = size
        """Less than 0 where exchanges took more than they had reserved."""
        self.reserved = 0
        """By exchanges that are not settled."""
        self.kept = 0
        """Of that, what stays charged if they never are."""

    @property
    def spent(self) -> int:
        """Of it, with what is reserved."""
        return max(0, self.size - self.left)

    def movable(self, now: int) -> int:
        """What is reserved, as far as it could still be given back."""
        if now >= self.ends:
            return 0
        rule = self.counter.rule
        if isinstance(rule, Calendar | Sliding):
            return self.reserved
        return min(self.reserved, rule.amount(self.ends - now))


class Lease:
    """Slices that were taken together, and end together."""

    __slots__ = ("serving", "slices", "taken", "until")

    def __init__(self, until: int) -> None:
        self.until = until
        self.slices: list[Slice] = []
        self.taken: Taken | None = None
        """None while the store is asked."""
        self.serving = True

    @property
    def under_way(self) -> bool:
        return any(each.reserved for each in self.slices)


class Counter:
    """What this replica knows of one counter."""

    __slots__ = ("direct", "group", "held", "left", "reset", "rule", "slices", "subject", "used")

    def __init__(self, charge: Charge) -> None:
        self.rule, self.group, self.subject = charge.rule, charge.group, charge.subject
        self.slices: list[Slice] = []
        """Those that serve; the newest last."""
        self.held = 0
        """What they have left, together."""
        self.direct = 0
        """Until when everything goes to the store, since there is little left."""
        self.used = 0
        """Until when it counts as one that is often used."""
        self.left, self.reset = 0, 0
        """As the store said last; the latter as a moment."""

    def hear(self, level: Level, now: int) -> None:
        self.left, self.reset = level.left, now + level.reset

    def level(self, now: int) -> Level:
        left = max(0, min(self.rule.max, self.left + self.held))
        return Level(left, max(0, self.reset - now))

    def covering(self, amount: int, now: int) -> Slice | None:
        """A slice that serves so much: one of the newest, so that none has to look through all."""
        for each in self.slices[:-5:-1]:
            if each.left >= amount and each.lease is not None and now < each.lease.until:
                return each
        return None


class Served(list[tuple[Slice, int, int]]):
    """What one exchange was served from slices: how much, and what of it is certain."""

    __slots__ = ("until",)

    def __init__(self, until: int) -> None:
        super().__init__()
        self.until = until
        """When it counts as one that will never be settled."""

    def draw(self, piece: Slice, amount: int, kept: int) -> None:
        piece.left -= amount
        piece.counter.held -= amount
        piece.reserved += amount
        piece.kept += kept
        self.append((piece, amount, kept))

    def settle(self, amounts: "list[int]") -> None:
        """Have it be so much in place of what was reserved."""
        for (piece, reserved, kept), amount in zip(self, amounts, strict=True):
            piece.reserved -= reserved
            piece.kept -= kept
            piece.left += reserved - amount
            if piece.lease is not None and piece.lease.serving:
                piece.counter.held += reserved - amount


def serves(rule: Rule[Any], level: Level) -> int | None:
    """Microseconds for which a charge that was just made stands for one that is made then.

    None is without an end: of a rate it is only that what is used later was charged earlier.
    """
    if isinstance(rule, Calendar):
        return level.reset
    if isinstance(rule, Sliding):
        return level.reset - PARTS * rule.part
    return None


def divisible(charge: Charge) -> bool:
    """Whether it may have slices: not what is under way, which would be of use to one replica only.

    Nothing of it is divisible: that a tenant is not stopped holds for as long as a slice does.
    """
    return not isinstance(charge.rule, Concurrency) or charge.amount == 0


def worth(rule: Rule[Any], amount: int, size: int) -> bool:
    """Whether slices of a size serve enough requests of an amount."""
    return 0 < amount * FEW <= size or isinstance(rule, Concurrency)

"""What goes to the scripts and comes back: charges as words, and answers as what they say.

Rule: the scripts only count; what a state means for a client is said by extproc.limits, here as in
every store.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import Struct

from extproc.limits import Charge, Level, Refused, Rule, Taken, Wait
from extproc.stores.redis.states import MOST, kind_of, state_of
from extproc.stores.redis.wire import Word

Keys = tuple[str, ...]
_KEPT: Final = 10_000


class Group(Struct, frozen=True):
    """The charges of one group, by their places among all."""

    name: str
    keys: Keys
    places: Sequence[int]


class Names:
    """The keys of groups: all that is counted of one is in one slot, by its hash tag."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._keys: dict[str, Keys] = {}

    def keys(self, group: str) -> Keys:
        found = self._keys.get(group)
        if found is None:
            if len(self._keys) >= _KEPT:
                self._keys.clear()
            # An empty tag would be none: then the whole name chose the slot.
            tag = f"{self._prefix}:{{{group or '*'}}}"
            found = self._keys[group] = (tag, f"{tag}:leases")
        return found

    def groups(self, charges: Sequence[Charge]) -> list[Group]:
        if not charges:
            return []
        first = charges[0].group
        if all(charge.group == first for charge in charges):
            return [Group(first, self.keys(first), range(len(charges)))]
        places: dict[str, list[int]] = {}
        for place, charge in enumerate(charges):
            places.setdefault(charge.group, []).append(place)
        return [Group(name, self.keys(name), found) for name, found in places.items()]


def field(kind: bytes, rule: str, subject: str) -> bytes:
    return b"%b%b\0%b" % (kind, rule.encode(), subject.encode(errors="surrogateescape"))


def taking(group: Group, charges: Sequence[Charge], now: int) -> list[Word]:
    """Eight words for each charge; see lua/states.lua."""
    words: list[Word] = []
    for place in group.places:
        charge = charges[place]
        rule, amount = charge.rule, charge.amount
        kind, a, b, c = kind_of(rule, now)
        cost = min(rule.cost(amount), MOST)
        kept = cost if charge.kept == amount else min(rule.cost(charge.kept), cost)
        bound: Word = b"" if charge.forced else rule.capacity
        words += field(kind, rule.name, charge.subject), kind, cost, kept, bound, a, b, c
    return words


def settling(
    group: Group, charges: Sequence[Charge], amounts: Sequence[int], now: int
) -> Iterator[Word]:
    for place in group.places:
        yield from correcting(charges[place].rule, charges[place].subject, amounts[place], now)


def correcting(rule: Rule[Any], subject: str, amount: int | None, now: int) -> Iterator[Word]:
    """What has neither a bound nor a part that is kept; None stands for all there is."""
    kind, a, b, c = kind_of(rule, now)
    yield field(kind, rule.name, subject)
    yield kind
    yield -1 if amount is None else min(rule.cost(amount), MOST)
    yield from (b"", b"", a, b, c)


class Answer(Struct, frozen=True):
    """What take.lua says of charges, group by group."""

    groups: Sequence[Group]
    lives: Sequence[bytes]
    """Empty for those that the client knew."""
    times: Sequence[int]
    """That they are counted at."""
    rest: Sequence[bytes]

    @classmethod
    def of(cls, groups: Sequence[Group], reply: Sequence[Any]) -> "Answer":
        end = 3 + 2 * len(groups)
        return cls(groups, reply[3:end:2], [int(time) for time in reply[4:end:2]], reply[end:])

    def taken(self, name: str, charges: Sequence[Charge]) -> Taken:
        """In the order of the charges' places; of charges that are in none of the groups,
        nothing.
        """
        found: list[tuple[int, int, Level]] = []
        texts = iter(self.rest)
        for group, now in zip(self.groups, self.times, strict=True):
            for place in group.places:
                rule = charges[place].rule
                state = state_of(rule, next(texts))
                left = rule.capacity - rule.level(state, now)
                level = Level(rule.amount(left) if left > 0 else 0, max(0, rule.idle(state) - now))
                found.append((place, rule.mark(state), level))
        if len(self.groups) > 1:
            found.sort(key=lambda each: each[0])
        return Taken(
            name,
            tuple([charges[place] for place, _, _ in found]),
            tuple([mark for _, mark, _ in found]),
            tuple([level for _, _, level in found]),
        )

    def refused(self, charges: Sequence[Charge]) -> Refused:
        waits = []
        texts = iter(self.rest)
        for group, now in zip(self.groups, self.times, strict=True):
            for place in group.places:
                text, cost = next(texts), next(texts)
                if cost:
                    rule = charges[place].rule
                    wait = rule.wait(state_of(rule, text), now, int(cost))
                    waits.append(Wait(place, wait))
        return Refused(tuple(sorted(waits, key=lambda wait: wait.index)))


def joined(name: str, charges: Sequence[Charge], done: Sequence[tuple[Group, Taken]]) -> Taken:
    """What was taken group by group, in the order that it was asked in."""
    found = {
        place: (mark, level)
        for group, part in done
        for place, mark, level in zip(group.places, part.marks, part.levels, strict=True)
    }
    marks, levels = zip(*(found[place] for place in range(len(charges))), strict=True)
    return Taken(name, tuple(charges), marks, levels)

"""The states of counters: whose there are, how many, and which are forgotten.

Rules: a counter is forgotten only when it would say the same as a new one.  No group takes more
than its share, whomever it makes up: those that it has no counter left for are counted together,
by one for each of its rules.  Forgetting goes on a few counters at a time, so that nothing waits,
and only where there are many: who comes back finds his own.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from extproc.errors import StoreUnavailable
from extproc.limits import Rule

OTHERS: Final = "\0"
"""The subject of all whom a group has no counter left for."""
FEW: Final = 64
"""Subjects that every group has counters for, however many others have made up."""

_ALWAYS: Final = frozenset({"", OTHERS})
"""Subjects of which each rule of a group has one, so that they need no bound of their own."""
_SWEPT: Final = 2
"""Counters that are looked at whenever one is made: more than are made, so that those that nobody
needs any more go."""
_MANY: Final = 4
"""The part of its bounds below which nothing is looked at."""


class Ledger:
    """At most ``capacity`` counters, ``share`` of them of one of at most ``groups`` groups.

    FEW of each group besides, and those that are of nobody in particular.
    """

    def __init__(self, capacity: int, share: int, groups: int) -> None:
        self.groups: dict[str, Group] = {}
        self.together = 0
        """How often somebody was counted together with others, for want of a counter."""
        self.counters = 0
        self.untidy = False
        """Whether there are many counters or groups, and some were made since it was tidied."""
        self._capacity, self._share, self._groups = capacity, share, groups
        self._ring: list[States] = []
        """All of them, to go through one at a time."""
        self._hand = 0

    def states(self, group: str, rule: Rule[Any]) -> "States":
        """Those of a rule in a group.  Raise StoreUnavailable where it has no room for a group."""
        try:
            found = self.groups[group].of[rule.__class__, rule.name]
        except KeyError:
            found = self._begin(group, rule)
        found.rule = rule  # another policy may have been put in force
        return found

    def of(self, group: str, rules: Sequence[Rule[Any]]) -> "Iterator[States]":
        """Those that there are."""
        known = self.groups.get(group)
        for rule in rules if known else ():
            assert known is not None
            if (found := known.of.get((rule.__class__, rule.name))) is not None:
                yield found

    def counted_as(self, states: "States", subject: str, now: int) -> str:
        """By which subject it is counted that has no counter yet."""
        if subject in _ALWAYS:
            return subject
        if states.group.counters >= FEW:
            for _ in range(_SWEPT):
                self._forget(states, now)
        own = states.group.counters
        if (own < self._share and self.counters < self._capacity) or own < FEW:
            return subject
        self.together += 1
        return OTHERS

    def make(self, states: "States", subject: str, state: Any) -> None:
        """A counter for somebody who has none."""
        states.by_subject[subject] = state
        states.subjects.append(subject)
        states.group.counters += 1
        self.counters += 1
        self.untidy = (
            self.counters * _MANY > self._capacity or len(self.groups) * _MANY > self._groups
        )

    def tidy(self, now: int) -> None:
        """Look at the next counters of all, whoever they are of; forget what nothing is left of.

        Not while somebody holds States that nothing is counted by yet.
        """
        self.untidy = False
        for _ in range(_SWEPT):
            if not self._ring:
                return
            self._hand %= len(self._ring)
            states = self._ring[self._hand]
            self._forget(states, now)
            if not states.subjects:
                self._end(states)
            elif states.hand >= len(states.subjects):
                self._hand += 1

    def _forget(self, states: "States", now: int) -> None:
        if states.forget_next(now):
            states.group.counters -= 1
            self.counters -= 1

    def _begin(self, group: str, rule: Rule[Any]) -> "States":
        of = self.groups.get(group)
        self.untidy = self.untidy or len(self.groups) * _MANY >= self._groups
        if of is None:
            if len(self.groups) >= self._groups:
                raise StoreUnavailable(f"all {self._groups} groups of counters are in use")
            of = self.groups[group] = Group(group)
        states = of.of[rule.__class__, rule.name] = States(rule, of)
        self._ring.append(states)
        return states

    def _end(self, states: "States") -> None:
        last = self._ring.pop()
        if last is not states:
            self._ring[self._hand] = last
        group = states.group
        del group.of[states.rule.__class__, states.rule.name]
        if not group.of:
            del self.groups[group.name]


class Group:
    """The counters of one tenant, or of those that tenants share."""

    __slots__ = ("counters", "name", "of")

    def __init__(self, name: str) -> None:
        self.name = name
        self.of: dict[tuple[type[Rule[Any]], str], States] = {}
        """By the kind and the name of the rule."""
        self.counters = 0


class States:
    """Those of one rule in one group."""

    __slots__ = ("by_subject", "group", "hand", "rule", "subjects")

    def __init__(self, rule: Rule[Any], group: Group) -> None:
        self.rule = rule
        self.group = group
        self.by_subject: dict[str, Any] = {}
        self.subjects: list[str] = []
        """The same, to go through them a few at a time."""
        self.hand = 0

    def forget_next(self, now: int) -> bool:
        """Look at the next one, and forget it where it says nothing any more."""
        if not self.subjects:
            return False
        if self.hand >= len(self.subjects):
            self.hand = 0
        subject = self.subjects[self.hand]
        if self.rule.idle(self.by_subject[subject]) > now:
            self.hand += 1
            return False
        del self.by_subject[subject]
        last = self.subjects.pop()
        if last != subject:
            self.subjects[self.hand] = last
        return True

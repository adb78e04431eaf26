"""What this replica last saw in the store, for a store that loses what it knew.

Rules: a counter is remembered for as long as it says anything; at most so many, those that were
seen last.  How much is under way is not remembered: whoever gave it back would not be known.
"""

from collections import OrderedDict
from typing import Final

FROZEN: Final = b"\0frozen"
_GROUP: Final = 1_000
"""Counters of one group."""


class _Group:
    __slots__ = ("life", "states", "until")

    def __init__(self) -> None:
        self.life = b""
        self.until = 0
        """When none of its counters says anything any more; in the store's microseconds."""
        self.states: OrderedDict[bytes, bytes] = OrderedDict()

    def matters(self, now: int) -> bool:
        return self.until > now or FROZEN in self.states


class Seen:
    """At most ``most`` counters, of some 300 bytes each, and as many groups."""

    def __init__(self, most: int = 20_000) -> None:
        self._groups: OrderedDict[str, _Group] = OrderedDict()
        self._most = most
        self._counters = 0

    def __len__(self) -> int:
        return self._counters

    def life(self, group: str, now: int) -> bytes:
        """The life of the store in which the group was seen; empty where none would be missed."""
        known = self._groups.get(group)
        return known.life if known is not None and known.matters(now) else b""

    def note(self, group: str, life: bytes, *, frozen: bool | None = None) -> None:
        """Of which life the group is, empty for the one that is known; and whether it is
        frozen, where that is known.
        """
        known = self._groups.get(group)
        if known is None:
            known = self._groups[group] = _Group()
            if len(self._groups) > self._most:
                self._forget()
        else:
            self._groups.move_to_end(group)
        known.life = life or known.life
        if frozen:
            self._put(known, FROZEN, b"1")
        elif frozen is False and known.states.pop(FROZEN, None) is not None:
            self._counters -= 1

    def keep(self, group: str, field: bytes, text: bytes, until: int) -> None:
        """What a counter of a group that is noted says, and until when it does."""
        known = self._groups.get(group)
        if known is not None:
            known.until = max(known.until, until)
            self._put(known, field, text)

    def states(self, group: str) -> list[tuple[bytes, bytes]]:
        known = self._groups.get(group)
        return list(known.states.items()) if known is not None else []

    def frozen(self, group: str) -> bool:
        """Whether it was, when it was seen last."""
        known = self._groups.get(group)
        return known is not None and FROZEN in known.states

    def live(self, now: int) -> list[str]:
        """The groups that would be missed."""
        return [name for name, known in self._groups.items() if known.matters(now)]

    def _put(self, known: _Group, field: bytes, text: bytes) -> None:
        self._counters += field not in known.states
        known.states[field] = text
        known.states.move_to_end(field)
        if FROZEN in known.states:
            known.states.move_to_end(FROZEN)
        if len(known.states) > _GROUP:
            known.states.popitem(last=False)
            self._counters -= 1
        if self._counters > self._most:
            self._forget()

    def _forget(self) -> None:
        """The group that was not seen for longest."""
        _, known = self._groups.popitem(last=False)
        self._counters -= len(known.states)

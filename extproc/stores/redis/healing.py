"""What is done about a store that has lost what it knew.

Rules: every answer tells of which life of the store a group is, and where it is another than a
replica saw last, the replica hands in what it saw; the store keeps the larger of both.  That is
looked for in every take, and once a second for groups that nothing is taken of.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Final

from extproc.errors import StoreUnavailable
from extproc.limits import Charge, Rule
from extproc.stores.redis.calls import Calls
from extproc.stores.redis.link import Link
from extproc.stores.redis.seen import Seen
from extproc.stores.redis.states import state_of
from extproc.stores.redis.wire import Word
from extproc.stores.redis.words import Group, field

HEARTBEAT: Final = 1.0
_PASSING: Final = {b"", b"n"}
"""Of how much is under way nothing is remembered."""
_BEATEN: Final = 64
"""Groups that are looked at in one beat."""


class Healing:
    """Of one replica; ``pause`` is how long the others have to hand in theirs, in microseconds."""

    def __init__(self, calls: Calls, pause: int) -> None:
        self.losses = 0
        """Times that a group was found to have lost what it knew."""
        self.restored = 0
        """Counters that were handed in again after that."""
        self.pause = pause
        self._calls = calls
        self._seen = Seen()
        self._at = 0

    def known(self, group: str, now: int) -> bytes:
        """The life in which a group was seen that would be missed."""
        return self._seen.life(group, now)

    def frozen(self, group: str) -> bool:
        return self._seen.frozen(group)

    def note(self, groups: Sequence[Group], lives: Sequence[bytes], *, frozen: bool | None) -> None:
        for group, life in zip(groups, lives, strict=True):
            self._seen.note(group.name, life, frozen=frozen)

    def remember(
        self, group: Group, charges: Sequence[Charge], texts: Iterator[bytes], now: int
    ) -> None:
        """Of the states of a group's counters what outlasts the time in which a store heals."""
        for place, text in zip(group.places, texts, strict=False):
            charge = charges[place]
            self.keep(group.name, charge.rule, charge.subject, text, now)

    def keep(self, group: str, rule: Rule[Any], subject: str, text: bytes, now: int) -> None:
        if text[:1] in _PASSING:
            return
        # A rate's state is the time at which it says nothing any more.
        until = int(text[1:]) if text[:1] == b"r" else rule.idle(state_of(rule, text))
        if until > now + self.pause:
            self._seen.keep(group, field(text[:1], rule.name, subject), text, until)

    async def heal(
        self,
        link: Link,
        groups: Sequence[Group],
        lives: Sequence[bytes],
        given: Word,
        until: float,
    ) -> None:
        """Hand in what was known of groups that are of another life now.

        Raise StoreUnavailable where that is done, and others may still have to.
        """
        handed = False
        for group, life in zip(groups, lives, strict=True):
            if not life:
                continue
            states = self._seen.states(group.name)
            words: list[Word] = [given, life, *(word for pair in states for word in pair)]
            reply = await self._calls.run(link, "restore", [group], words, until)
            if reply[0] == b"T":
                self._seen.note(group.name, life)
                self.losses += 1
                self.restored += len(states)
                handed = True
        if not handed:
            raise StoreUnavailable("it has lost what it knew, and is being told")

    async def beat(self, now: Callable[[], int], look: Callable[[str], Awaitable[None]]) -> None:
        """For ever: look whether the store still knows what was seen, some groups at a time."""
        while True:
            await asyncio.sleep(HEARTBEAT)
            groups = self._seen.live(now())
            self._at = self._at + _BEATEN if self._at + _BEATEN < len(groups) else 0
            for group in groups[self._at : self._at + _BEATEN]:
                await look(group)

"""The operator's side of counters in a Redis: what stands there, grants, and stops."""

from collections.abc import AsyncIterator, Mapping, Sequence
from heapq import nlargest
from typing import Any, Final

import hiredis

from extproc.errors import StoreUnavailable
from extproc.limits import Account, Rule, Sliding, Standing
from extproc.stores.redis.counters import RedisCounters
from extproc.stores.redis.link import Link, kind_of_error
from extproc.stores.redis.states import kind_of, state_of
from extproc.stores.redis.wire import Word, packed
from extproc.stores.redis.words import Group, correcting

_SCANNED: Final = 200
"""Counters that are read in one turn of the server's."""
_TRIES: Final = 3


class RedisAccounts(RedisCounters):
    """Counters and Accounts."""

    async def read(self, group: str, rules: Sequence[Rule[Any]], *, most: int) -> Account:
        place = self._place(group)
        link = self.calls.link([place])
        frozen, now = await self.look(place)
        of = {kind_of(rule, now)[0] + rule.name.encode(): rule for rule in rules}
        found: list[tuple[float, Standing]] = []
        seen = 0
        async for fields in self._scan(link, place):
            used = [each for pair in fields if (each := _used(of, *pair, now)) is not None]
            seen += len(used)
            found = nlargest(most, [*found, *used], key=lambda each: each[0])
        standings = tuple(standing for _, standing in found)
        return Account(frozen, standings, seen - len(standings))

    async def grant(
        self, group: str, rule: Rule[Any], subject: str, amount: int | None = None
    ) -> None:
        place, until, time = self._place(group), self.until(), None
        for _ in range(_TRIES):
            link = self.calls.link([place])
            now = self.now(link) if time is None else time
            words = [*self._beginning(link), *correcting(rule, subject, amount, now)]
            reply = await self.calls.run(link, "grant", [place], words, until)
            if reply[0] == b"T":
                self.healing.note([place], [reply[2]], frozen=None)
                self.healing.keep(group, rule, subject, reply[4], int(reply[3]))
                return
            time = int(reply[2])
        raise StoreUnavailable("its clock is being set")

    async def freeze(self, group: str, *, frozen: bool) -> None:
        place = self._place(group)
        link = self.calls.link([place])
        words = [*self._beginning(link), b"1" if frozen else b""]
        reply = await self.calls.run(link, "freeze", [place], words, self.until())
        self.healing.note([place], [reply[2]], frozen=frozen)

    def _place(self, group: str) -> Group:
        return Group(group, self.named.keys(group), ())

    def _beginning(self, link: Link) -> list[Word]:
        return [self.given(link), link.run, self.name(), self.healing.pause]

    async def _scan(self, link: Link, group: Group) -> AsyncIterator[list[tuple[bytes, bytes]]]:
        """All fields of a group, some at a time; some may come twice while others are written."""
        cursor: bytes = b"0"
        known: set[bytes] = set()
        while True:
            command = packed("HSCAN", group.keys[0], cursor, "COUNT", _SCANNED)
            reply = await self.servers.call(link, group.keys[0], command, self.until())
            if isinstance(reply, hiredis.ReplyError):
                raise StoreUnavailable(f"it refuses: {kind_of_error(reply)}")
            cursor, flat = reply
            pairs = zip(flat[::2], flat[1::2], strict=True)
            yield [(name, text) for name, text in pairs if name not in known]
            known.update(flat[::2])
            if cursor == b"0":
                return


def _used(
    rules: Mapping[bytes, Rule[Any]], name: bytes, text: bytes, now: int
) -> tuple[float, Standing] | None:
    """How full a counter is, and where it stands; None where it is of no rule, or unused."""
    kind, _, subject = name.partition(b"\0")
    rule = rules.get(kind)
    state = None if rule is None else state_of(rule, text)
    if rule is None or state is None or not (used := rule.level(state, now)):
        return None
    left = rule.amount(rule.capacity - used)
    reset = rule.idle(state) - now
    whose = subject.decode(errors="surrogateescape")
    age = rule.age(state, now) if isinstance(rule, Sliding) else 0
    standing = Standing(rule.name, whose, rule.max - left, max(0, left), reset, age)
    return used / rule.capacity, standing

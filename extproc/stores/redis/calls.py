"""Scripts, run where a group is counted."""

import asyncio
from collections.abc import Sequence
from typing import Any

import hiredis

from extproc.errors import StoreUnavailable
from extproc.stores.redis.link import Link, kind_of_error
from extproc.stores.redis.scripts import NAMES, script
from extproc.stores.redis.servers import Elsewhere, Servers
from extproc.stores.redis.wire import Word, packed
from extproc.stores.redis.words import Group


class Calls:
    """To the servers of a store."""

    def __init__(self, servers: Servers) -> None:
        self.failures = 0
        """Calls whose outcome is unknown, or that were not made."""
        self._servers = servers

    def link(self, groups: Sequence[Group]) -> Link:
        """Raise StoreUnavailable, at once, where there is no connection."""
        try:
            link = self._servers.link(groups[0].keys[0])
        except StoreUnavailable:
            self.failures += 1
            raise
        if not link.up:
            self.failures += 1
            raise StoreUnavailable(link.fault)
        return link

    async def run(
        self,
        link: Link,
        name: str,
        groups: Sequence[Group],
        words: Sequence[Word],
        until: float,
    ) -> Any:
        """The answer, a list: what, the time, and more.

        Raise Elsewhere where another node is to be asked, any other StoreUnavailable where the
        outcome is unknown.
        """
        keys = [key for group in groups for key in group.keys]
        command = packed("EVALSHA", script(name).sha, len(keys), *keys, *words)
        try:
            reply = await self._servers.call(link, keys[0], command, until)
            if isinstance(reply, hiredis.ReplyError):
                reply = await self._again(reply, link, keys[0], command, until)
        except Elsewhere:
            raise
        except StoreUnavailable:
            self.failures += 1
            raise
        link.learn(int(reply[1]))
        return reply

    async def _again(
        self, error: hiredis.ReplyError, link: Link, slot: str, command: bytes, until: float
    ) -> Any:
        """Where the server has forgotten its scripts, load them."""
        if kind_of_error(error) == "NOSCRIPT":
            loads = (packed("SCRIPT", "LOAD", script(name).text) for name in NAMES)
            await asyncio.gather(*(link.call(load, until) for load in loads))
            reply = await self._servers.call(link, slot, command, until)
            if not isinstance(reply, hiredis.ReplyError):
                return reply
            error = reply
        raise StoreUnavailable(f"it refuses: {kind_of_error(error)}")

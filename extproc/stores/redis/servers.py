"""Which server counts what: a single one, the master that Sentinels name, or those of a Cluster.

Sources: Redis' "Sentinel client spec" and "Cluster specification" (key distribution, MOVED and ASK
redirection).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, Protocol

import hiredis

from extproc.errors import StoreUnavailable
from extproc.stores.redis.address import Host
from extproc.stores.redis.link import Access, Link, kind_of_error
from extproc.stores.redis.wire import packed

_OFTEN: Final = 0.1
"""Seconds between two questions who has which slot of a Cluster."""
_KEYS: Final = 100_000
"""Whose slot is remembered."""
_NAMELESS: Final = {b"", b"?", None}
_STALE: Final = ("READONLY", "MASTERDOWN", "NOREPLICAS", "LOADING", "CLUSTERDOWN")
"""Errors of a server that is not, or not yet, the one to ask."""


class Servers(Protocol):
    """Where groups are counted."""

    @property
    def together(self) -> bool:
        """Whether one call may be about several groups."""
        ...

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def link(self, slot: str) -> Link:
        """Of a group's first key.  Raise StoreUnavailable where nobody is known for it."""
        ...

    async def call(self, link: Link, slot: str, command: bytes, until: float) -> Any:
        """The reply.  Raise StoreUnavailable for those that say it is not the one to ask."""
        ...

    def links(self) -> Sequence[Link]: ...


class Single:
    """One server; or, by Sentinels, always the one that is the master."""

    together = True

    def __init__(self, access: Access, master: str = "", sentinel_password: str = "") -> None:
        hosts = access.address.hosts

        async def first() -> Host:
            return hosts[0]

        self._link = Link(_named(hosts, master, sentinel_password) if master else first, access)

    async def start(self) -> None:
        await self._link.start()

    async def close(self) -> None:
        await self._link.close()

    def link(self, slot: str) -> Link:
        return self._link

    def links(self) -> Sequence[Link]:
        return (self._link,)

    async def call(self, link: Link, slot: str, command: bytes, until: float) -> Any:
        reply = await link.call(command, until)
        if isinstance(reply, hiredis.ReplyError) and kind_of_error(reply) in _STALE:
            link.drop()
            raise StoreUnavailable(f"it refuses: {kind_of_error(reply)}")
        return reply


def _named(hosts: Sequence[Host], master: str, password: str) -> Callable[[], Awaitable[Host]]:
    from extproc.stores.redis import sentinels  # noqa: PLC0415 - redis-py, for those that have them

    return partial(sentinels.master, hosts, master, password)


class Elsewhere(StoreUnavailable):
    """Another node of the Cluster has the slot."""


class Cluster:
    """The masters of a Cluster, each with the slots that it has."""

    together = False

    def __init__(self, access: Access) -> None:
        from redis.crc import key_slot  # noqa: PLC0415 - redis-py, for those that have a Cluster

        self._slot_of = key_slot
        self._access = access
        self._links = {host: self._to(host) for host in access.address.hosts}
        """Those to the nodes that the URL names, and to all that have slots."""
        self._slots: list[tuple[int, int, Host]] = []
        """First, last, and who has them."""
        self._found: dict[str, Link] = {}
        """By key, so that a slot is not worked out anew."""
        self._asking: asyncio.Task[None] | None = None
        self._asked = 0.0

    async def start(self) -> None:
        await asyncio.gather(*(link.start() for link in self._links.values()))
        await self._ask_around()

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait({self._asking})
        await asyncio.gather(*(link.close() for link in self._links.values()))

    def links(self) -> Sequence[Link]:
        return tuple(self._links.values())

    def link(self, slot: str) -> Link:
        found = self._found.get(slot)
        if found is None:
            number = self._slot_of(slot.encode())
            host = next((host for a, z, host in self._slots if a <= number <= z), None)
            if host is None:
                self._refresh()
                raise StoreUnavailable("no node is known to have the slot")
            if len(self._found) >= _KEYS:
                self._found.clear()
            found = self._found[slot] = self._links[host]
        if not found.up:
            self._refresh()
        return found

    async def call(self, link: Link, slot: str, command: bytes, until: float) -> Any:
        reply = await link.call(command, until)
        if not isinstance(reply, hiredis.ReplyError):
            return reply
        kind = kind_of_error(reply)
        if kind in _STALE:
            self._refresh()
            raise StoreUnavailable(f"it refuses: {kind}")
        if kind not in {"MOVED", "ASK", "TRYAGAIN"}:
            return reply
        self._asked = 0.0
        self._refresh()
        if self._asking is not None:
            await asyncio.wait({self._asking}, timeout=until - asyncio.get_running_loop().time())
        raise Elsewhere(f"the slot is being moved: {kind}")

    def _to(self, host: Host) -> Link:
        async def itself() -> Host:
            return host

        return Link(itself, self._access)

    def _refresh(self) -> None:
        """Ask who has which slot, in the background; not too often."""
        if self._asking is not None and not self._asking.done():
            return
        now = asyncio.get_running_loop().time()
        if now - self._asked >= _OFTEN:
            self._asked = now
            self._asking = asyncio.create_task(self._ask_around())

    async def _ask_around(self) -> None:
        """Until one answers."""
        command = packed("CLUSTER", "SLOTS")
        for host, link in [*self._links.items()]:
            try:
                until = asyncio.get_running_loop().time() + self._access.wait
                reply = await link.call(command, until)
            except StoreUnavailable:
                continue
            if isinstance(reply, list) and reply:
                await self._learn(host[0], reply)
                return

    async def _learn(self, asked: str, reply: list[Any]) -> None:
        """A node that does not know its own name is where it was asked."""
        slots = [
            (a, z, (node[0].decode() if node[0] not in _NAMELESS else asked, node[1]))
            for a, z, node, *_ in reply
        ]
        hosts = {host for _, _, host in slots}
        fresh = [self._links.setdefault(host, self._to(host)) for host in hosts]
        self._slots = slots
        self._found.clear()
        for host in self._links.keys() - hosts - set(self._access.address.hosts):
            await self._links.pop(host).close()
        await asyncio.gather(*(link.start() for link in fresh))

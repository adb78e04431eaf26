"""Which signed requests were served before, by any replica.

Rules: as of counters time is the server's, and of what the store may have lost nobody is told that
it is the first.  A take that was not answered in time may have been the first: what is shown again
then is refused.
"""

import asyncio
import hashlib
from typing import Final

from extproc.credentials import Once
from extproc.errors import StoreUnavailable
from extproc.limits import SECOND
from extproc.stores.redis.calls import Calls
from extproc.stores.redis.counters import Clock, Shape
from extproc.stores.redis.servers import Servers
from extproc.stores.redis.wire import Word
from extproc.stores.redis.words import Group

BUCKETS: Final = 16
"""By which they are spread over the nodes of a Cluster."""
_SLACK: Final = 60 * SECOND
"""How much longer a request is kept than it may be shown: clocks of replicas differ."""


class RedisReplays:
    """Over the servers that counters have started."""

    def __init__(self, servers: Servers, shape: Shape, *, clock: Clock | None = None) -> None:
        self._shape = shape
        self._calls = Calls(servers)
        self._clock = clock

    async def start(self) -> None:
        """From now on it is kept what is shown."""
        groups = [self._group(bucket) for bucket in range(BUCKETS)]
        await asyncio.gather(*(self._begin(group) for group in groups), return_exceptions=True)

    async def first(self, once: Once, *, now: float) -> bool:
        digest = hashlib.sha256(once.key.encode(errors="surrogateescape")).digest()
        group = self._group(digest[0] % BUCKETS)
        keys = Group("", (*group.keys[:1], f"{group.keys[0]}:{digest[:20].hex()}"), ())
        since, until = round(once.since * SECOND), round(once.until * SECOND)
        what = await self._ask(keys, [since, until, _SLACK])
        if what == b"U":
            raise StoreUnavailable("it may have been shown when nobody kept that")
        return what == b"T"

    async def _begin(self, group: Group) -> None:
        await self._ask(group, [])

    async def _ask(self, group: Group, words: list[Word]) -> bytes:
        until = asyncio.get_running_loop().time() + self._shape.wait
        link = self._calls.link([group])
        given: Word = b"" if self._clock is None else self._clock()
        reply = await self._calls.run(link, "first", [group], [given, link.run, *words], until)
        return bytes(reply[0])

    def _group(self, bucket: int) -> Group:
        return Group("", (f"{self._shape.prefix}:{{shown-{bucket}}}",), ())

"""Private answers that any replica tells again.

Rule: there are no more than were paid for, since only those are kept; and each for a time.  What a
store has lost is paid for again, so that nothing here asks which life of it that was.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from extproc.limits.memos import KEPT
from extproc.stores.redis.calls import Calls
from extproc.stores.redis.counters import Shape
from extproc.stores.redis.servers import Servers
from extproc.stores.redis.wire import Word
from extproc.stores.redis.words import Group

BUCKETS: Final = 16
"""By which they are spread over the nodes of a Cluster."""
_MILLI: Final = 1000


class RedisMemos:
    """Over the servers that counters have started."""

    def __init__(self, servers: Servers, shape: Shape) -> None:
        self._shape = shape
        self._calls = Calls(servers)

    async def recall(self, keys: Sequence[bytes]) -> list[int | None]:
        if not keys:
            return []
        found = (await self._ask(keys, []))[2:]
        return [None if each is None else int(each) for each in found]

    async def keep(self, told: Mapping[bytes, int]) -> None:
        if told:
            await self._ask([*told], [round(KEPT * _MILLI), *told.values()])

    async def _ask(self, keys: Sequence[bytes], words: list[Word]) -> Any:
        until = asyncio.get_running_loop().time() + self._shape.wait
        tag = f"{self._shape.prefix}:{{told-{keys[0][0] % BUCKETS}}}"
        group = Group("", tuple(f"{tag}:{key.hex()}" for key in keys), ())
        return await self._calls.run(self._calls.link([group]), "memo", [group], words, until)

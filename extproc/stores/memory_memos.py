"""Private answers that one process tells again.

Rule: what has been kept for longest goes first, when its time is over or there is no more room.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

from extproc.limits.memos import KEPT


class MemoryMemos:
    """At most ``capacity`` answers, of some 200 bytes each."""

    def __init__(
        self, capacity: int = 100_000, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``clock`` is in seconds."""
        self._capacity, self._clock = capacity, clock
        self._told: OrderedDict[bytes, tuple[float, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._told)

    async def recall(self, keys: Sequence[bytes]) -> list[int | None]:
        now = self._clock()
        found = (self._told.get(key) for key in keys)
        return [each[1] if each is not None and now < each[0] else None for each in found]

    async def keep(self, told: Mapping[bytes, int]) -> None:
        now = self._clock()
        for key, value in told.items():
            self._told.pop(key, None)
            self._told[key] = now + KEPT, value
        while self._told and (
            len(self._told) > self._capacity or next(iter(self._told.values()))[0] <= now
        ):
            self._told.popitem(last=False)

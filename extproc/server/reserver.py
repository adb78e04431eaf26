"""Takes what exchanges want to reserve from the store, and settles it when they are over.

Rules: an exchange waits for its store once, and for nothing when it is over: settling goes on
beside it, and is tried again where the store does not answer, until the lease would have ended
anyway.  How many wait to be settled is bounded; what finds no place is left to its lease.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from extproc.credentials import Replays
from extproc.errors import StoreUnavailable
from extproc.exhaustion import Reserving
from extproc.limits import Counters, Memos, Refused, Reserved, Taken
from extproc.proof_of_work import SALT
from extproc.server.telemetry import Telemetry

WAITING: Final = 100_000
"""Settlements that wait for the store at one time."""
_NOTHING: Final = Taken("", (), (), ())
_UNTOLD: Final[Mapping[bytes, int]] = {}
_PAUSES: Final = (0.1, 1.0, 5.0, 30.0, 120.0, 300.0)
"""Seconds between tries; in all less than a lease."""


class Reserver:
    def __init__(
        self,
        counters: Counters,
        replays: Replays,
        telemetry: Telemetry,
        wall: Callable[[], float] = time.time,  # noqa: TID251 - a clock that is taken
        *,
        memos: Memos,
    ) -> None:
        self._counters, self._replays, self._memos = counters, replays, memos
        self._telemetry, self._wall = telemetry, wall
        self._settling: set[asyncio.Task[None]] = set()
        telemetry.settling.set_function(lambda: len(self._settling))

    async def reserve(self, wanted: Reserving) -> Reserved:
        """All of its charges, or none."""
        now = self._wall()
        if wanted.recall:
            return Reserved(_NOTHING, now=now, recalled=await self._recalled(wanted.recall))
        try:
            if wanted.once is not None and not await self._replays.first(wanted.once, now=now):
                return Reserved(None, spent=True, now=now, salt=secrets.token_bytes(SALT))
            if not wanted.charges:
                return Reserved(_NOTHING, now=now, salt=secrets.token_bytes(SALT))
            outcome = await self._counters.take(wanted.charges, final=wanted.final)
        except StoreUnavailable:
            self._telemetry.limits("", "unavailable").inc()
            return Reserved(None)
        self._telemetry.charged(wanted.charges, outcome)
        posing = wanted.final or isinstance(outcome, Refused)
        return Reserved(outcome, now=now, salt=secrets.token_bytes(SALT) if posing else b"")

    async def _recalled(self, keys: Sequence[bytes]) -> Sequence[int | None]:
        """What cannot be said is as if nothing had been told: then it is paid for."""
        try:
            return await self._memos.recall(keys)
        except StoreUnavailable:
            self._telemetry.limits("", "unavailable").inc()
            return ()

    def settle(
        self, taken: Taken, amounts: Sequence[int], told: Mapping[bytes, int] = _UNTOLD
    ) -> None:
        """Beside everything else; see Counters.  ``told`` is to be told again, see Memos: what is
        not kept is paid for when it is asked again.
        """
        if not taken.charges:
            return
        if len(self._settling) >= WAITING:
            self._telemetry.limits("", "unsettled").inc()
            return
        task = asyncio.create_task(self._settle(taken, amounts, told))
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def settled(self, seconds: float) -> None:
        """Wait until everything is, at most so long; what is not then is left to its lease."""
        if self._settling:
            _, waiting = await asyncio.wait(self._settling, timeout=seconds)
            for each in waiting:
                each.cancel()

    async def _settle(
        self, taken: Taken, amounts: Sequence[int], told: Mapping[bytes, int]
    ) -> None:
        if told:
            with suppress(StoreUnavailable):
                await self._memos.keep(told)
        for pause in (*_PAUSES, None):
            try:
                await self._counters.settle(taken, amounts)
            except StoreUnavailable:
                if pause is not None:
                    await asyncio.sleep(pause)
            else:
                return
        self._telemetry.limits("", "unsettled").inc()

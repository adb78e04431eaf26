"""The issuers of a policy's tokens: their keys, and whom to ask about a token.

Rule: keys are there before anything is served, or known to be missing; what is missing proves
nothing, and is told.
"""

import asyncio
from typing import TYPE_CHECKING, Final

from extproc.credentials import Introspections, Jwts, Needed
from extproc.policy import PolicyTable
from extproc.server.record import Records

if TYPE_CHECKING:
    from extproc.server.introspector import Introspector
    from extproc.server.jwks import KeyRefresh

START: Final = 5.0
"""Seconds that serving may wait for keys of issuers that do not answer."""


class Issuers:
    """Those of one policy table.

    To change tables: make the next with the last one as ``before``, start it, swap the tables, and
    close the last one when nobody asks it any more.
    """

    def __init__(
        self, table: PolicyTable, records: Records, before: "Issuers | None" = None
    ) -> None:
        """Goes on with the keys of ``before`` while it fetches its own.  Not on the loop of those
        that serve: what tokens need is imported here, and certificates are read.
        """
        self.refreshes = [
            _refresh(name, prover, records)
            for name, prover in table.provers.items()
            if isinstance(prover, Jwts)
        ]
        for refresh in self.refreshes:
            for last in before.refreshes if before is not None else ():
                refresh.follow(last)
        self.asked = {
            name: prover
            for name, prover in table.provers.items()
            if isinstance(prover, Introspections)
        }
        for name, asked in self.asked.items():
            if before is not None and name in before.asked:
                asked.follow(before.asked[name])
        self._introspectors = {name: _introspector(asked) for name, asked in self.asked.items()}
        self._running: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Fetch all keys once, as far as they come in time, then keep them fresh.

        Where there are keys to go on with, nothing waits for newer ones.
        """
        known = [refresh.known for refresh in self.refreshes]
        first = [asyncio.create_task(refresh.refresh()) for refresh in self.refreshes]
        self._running = first
        waited = [begun for begun, there in zip(first, known, strict=True) if not there]
        if waited:
            await asyncio.wait(waited, timeout=START)
        self._running = [
            asyncio.create_task(_follow(begun, refresh))
            for begun, refresh in zip(first, self.refreshes, strict=True)
        ]

    async def ask(self, needed: Needed) -> None:
        """Have the credential know the token.  Raise IssuerUnavailable."""
        await self._introspectors[needed.credential].ask(needed.token)

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        for refresh in self.refreshes:
            await refresh.close()
        for introspector in self._introspectors.values():
            await introspector.close()

    def told(self) -> list[str]:
        """For whoever looks after the sidecar: what is wrong with the keys of each credential."""
        return [
            f"credential {each.name}: {'old' if each.known else 'no'} keys: {each.problem}"
            for each in self.refreshes
            if each.problem
        ]


def _refresh(name: str, prover: Jwts, records: Records) -> "KeyRefresh":
    from extproc.server.jwks import KeyRefresh  # noqa: PLC0415 - joserfc, for those with tokens

    return KeyRefresh(name, prover, records)


def _introspector(prover: Introspections) -> "Introspector":
    from extproc.server.introspector import Introspector  # noqa: PLC0415 - httpx, for those that ask

    return Introspector(prover)


async def _follow(begun: asyncio.Task[None], refresh: "KeyRefresh") -> None:
    await begun
    await refresh.run()

"""Keeps the keys of issuers fresh, in the background: no request ever waits for it.

Rules: one fetch at a time for each issuer.  The last good keys are trusted until they are
``stale``, then none are.  A token that names an unknown key has them fetched early, but only once
in a while, whatever strangers send.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from extproc.config.jwks import read
from extproc.credentials import Jwts
from extproc.credentials.key_set import key_set
from extproc.credentials.keyring import MAX_BYTES, KeySet
from extproc.errors import IssuerUnavailable, Malformed
from extproc.server.record import Records
from extproc.units import seconds

if TYPE_CHECKING:
    from extproc.server.issuer import Issuer

FETCH: Final = 10.0
"""Seconds that a whole fetch may take."""
COOLDOWN: Final = 30.0
"""Least seconds between a fetch that went well and the next: what strangers can bring about."""
LOOK: Final = 2.0
"""Seconds between two looks at a file; reading it is quicker than finding out whether to."""
_FIRST_RETRY: Final = 1.0
_SPREAD: Final = 0.2
"""Sidecars that were started together do not fetch together: up to this part sooner than told."""


class KeyFile:
    """A JWK Set in a file, which may be replaced, or its folder as Kubernetes does."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def get(self) -> bytes:
        """Raise IssuerUnavailable."""
        try:
            return await asyncio.to_thread(read, self._path)
        except OSError as error:
            raise IssuerUnavailable(error.strerror or "unreadable") from error

    async def close(self) -> None:
        """Nothing stays open."""


class KeyRefresh:
    """The keys of one credential."""

    def __init__(
        self,
        name: str,
        prover: Jwts,
        records: Records,
        wall: Callable[[], float] = time.time,  # noqa: TID251 - a clock that is taken
        cooldown: float = COOLDOWN,
    ) -> None:
        settings, ring = prover.settings, prover.keyring
        self.name, self.ring, self._records, self._wall = name, ring, records, wall
        self.source, self.algorithms = prover.source, settings.algorithms
        self._stale = seconds(settings.stale)
        self._fetched, self._every = _source(prover)
        self._cooldown = min(cooldown, self._every)
        self._content = b""
        self._keys: KeySet | None = None
        self._failures = 0
        self._early = asyncio.Event()
        ring.missed = self._early.set
        self.problem = "not fetched yet"
        """Why the keys are not the newest; empty where they are."""
        if self.known:  # from a file, at load: from now on they grow stale
            ring.renew(None, wall() + self._stale)

    @property
    def known(self) -> bool:
        """Whether there are keys to trust."""
        return self.ring.keys(self._wall()) is not None

    def follow(self, before: "KeyRefresh") -> None:
        """Go on with the keys that another one has: the same source's, for the same algorithms."""
        if not self.known and (before.source, before.algorithms) == (self.source, self.algorithms):
            self.ring.renew(before.ring.last, before.ring.until)
            self._keys, self._content = before._keys, before._content  # noqa: SLF001 - its like
            self.problem = before.problem

    async def run(self) -> None:
        """Fetch again and again."""
        while True:
            await self.pause()
            await self.refresh()

    async def refresh(self) -> None:
        """Fetch once.  Whatever goes wrong, the last good keys stay until they are stale."""
        was = self.problem
        self._early.clear()
        try:
            await self._fetch()
        except (IssuerUnavailable, Malformed) as error:
            self._failures, self.problem = self._failures + 1, str(error)
        except Exception as error:  # noqa: BLE001 - its end would be the end of the credential
            self._failures, self.problem = self._failures + 1, "internal error"
            self._records.fault(error)
        if was != self.problem:
            told = {"credential": self.name, "problem": self.problem}
            self._records.add("issuer keys", told, "warning" if self.problem else "info")

    async def _fetch(self) -> None:
        content = await self._fetched.get()
        if self._keys is None or content != self._content:
            # In a thread: a hundred keys take longer than a request may be held up.
            self._keys = await asyncio.to_thread(key_set, content, self.algorithms)
            self._content = content
        self.ring.renew(self._keys, self._wall() + self._stale)
        self._failures, self.problem = 0, ""

    async def pause(self) -> None:
        """Wait for the next fetch: a missed key has it early, but not before the cooldown."""
        wait = self._every
        if self._failures:
            wait = min(wait, _FIRST_RETRY * 2 ** min(self._failures - 1, 10))
        wait *= 1 - _SPREAD * secrets.randbelow(1000) / 1000
        least = min(wait, self._cooldown)
        await asyncio.sleep(least)
        try:
            async with asyncio.timeout(wait - least):
                await self._early.wait()
        except TimeoutError:
            return

    async def close(self) -> None:
        await self._fetched.close()


def _source(prover: Jwts) -> "tuple[KeyFile | Issuer, float]":
    """Where keys come from, and how often to look there, in seconds."""
    kind, _, path = prover.source.partition(":")
    if kind == "file":
        return KeyFile(Path(path)), LOOK
    from extproc.server.issuer import Issuer  # noqa: PLC0415 - httpx, for those that are asked

    return Issuer(prover.source, FETCH, most=MAX_BYTES), seconds(prover.settings.refresh)

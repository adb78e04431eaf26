"""Asks issuers what tokens are (RFC 7662, section 2.1).

Rules: one question at a time about one token, a bounded number about all, a bounded time for each;
an issuer that does not answer is left alone for a moment.  Whatever is no answer admits nobody.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import quote_plus

import msgspec

from extproc.credentials import Introspections
from extproc.errors import IssuerUnavailable
from extproc.server.issuer import Issuer
from extproc.units import seconds

MAX_BYTES: Final = 64 << 10
"""Of an answer."""
FAILURES: Final = 5
"""After so many in a row an issuer is left alone."""
REST: Final = 1.0
"""For so many seconds: requests are then refused at once, rather than held until each times out."""


class Introspector:
    """Asks one issuer, for one credential."""

    def __init__(
        self,
        prover: Introspections,
        wall: Callable[[], float] = time.time,  # noqa: TID251 - a clock that is taken
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        settings = prover.settings
        self._prover, self._wall, self._clock = prover, wall, clock
        self._timeout = seconds(settings.timeout)
        self._most = settings.concurrency + settings.waiting
        self._turns = asyncio.Semaphore(settings.concurrency)
        self._issuer = Issuer(
            settings.url, self._timeout, most=MAX_BYTES, connections=settings.concurrency
        )
        # RFC 6749, section 2.3.1: each half is form-encoded first.
        self._auth = (quote_plus(settings.client_id), quote_plus(prover.secret))
        self._asking: dict[bytes, asyncio.Task[None]] = {}
        self._failures, self._rests_until = 0, 0.0

    async def ask(self, token: str) -> None:
        """Have the credential know what a token is.  Raise IssuerUnavailable."""
        digest = self._prover.digest(token)
        running = self._asking.get(digest)
        if running is None:
            if len(self._asking) >= self._most or self._clock() < self._rests_until:
                raise IssuerUnavailable("too many questions, or no answer to the last ones")
            running = asyncio.create_task(self._learn(token))
            self._asking[digest] = running
            running.add_done_callback(lambda done: self._end(digest, done))
        # One that leaves does not take the answer from the others.
        await asyncio.shield(running)

    async def close(self) -> None:
        asking = [*self._asking.values()]
        for running in asking:
            running.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        await self._issuer.close()

    def _end(self, digest: bytes, done: asyncio.Task[None]) -> None:
        del self._asking[digest]
        if not done.cancelled():
            done.exception()  # has been seen, even where everybody has left

    async def _learn(self, token: str) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                await self._turns.acquire()
        except TimeoutError as error:
            raise IssuerUnavailable("too many questions") from error
        try:
            answer = await self._answer(token)
        except IssuerUnavailable:
            self._failures += 1
            if self._failures >= FAILURES:
                self._rests_until = self._clock() + REST
            raise
        finally:
            self._turns.release()
        self._failures = 0
        self._prover.learn(token, answer, self._wall())

    async def _answer(self, token: str) -> object:
        form = {"token": token, "token_type_hint": "access_token"}
        content = await self._issuer.post(form, self._auth)
        try:
            answer: object = msgspec.json.decode(content)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise IssuerUnavailable("not JSON") from error
        if not isinstance(answer, dict) or not isinstance(answer.get("active"), bool):
            raise IssuerUnavailable("not an answer of RFC 7662")
        return answer

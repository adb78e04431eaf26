"""The attacker's HTTP client: many requests under way at once, over connections that are kept.

Rule: it is bounded in connections, in bytes of an answer and in seconds; it never follows a
redirect and never asks again by itself: both would be another request than the one measured.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from time import monotonic
from types import TracebackType
from typing import Final, Self

import aiohttp

from extproc.redteam.meter import Meter
from extproc.redteam.request import Reply, Request

KEY: Final = "{{key}}"
"""Where a header field is to hold the API key, if it is not the bearer token."""
MAX_ANSWER: Final = 64 * 1024 * 1024
"""Bytes; what is longer is cut off and counts as broken."""
CONNECTIONS: Final = 64
"""At least so many may be open, for attacks that ask at once by themselves."""
IDLE: Final = 2.0
"""Seconds after which a connection is not used again.  A server ends it after a while without
saying so first (uvicorn after five seconds), and a request that meets that end gets no answer."""
TIMEOUT: Final = 60.0
"""Seconds for one request."""


class Client(AbstractAsyncContextManager["Client"]):
    """Asks ``url``, with one of ``keys`` as a bearer token.

    ``parallel`` is how many requests of `send_all` are under way at once.
    """

    def __init__(self, url: str, keys: Sequence[str] = (), parallel: int = 16) -> None:
        self.url = url.rstrip("/")
        self.keys = tuple(keys)
        self.meter = Meter()
        self._parallel = parallel
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                keepalive_timeout=IDLE, limit=max(CONNECTIONS, self._parallel)
            ),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT),
            auto_decompress=False,
            skip_auto_headers=("accept-encoding", "user-agent"),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._session is not None
        await self._session.close()

    async def send(self, request: Request, *, follow: bool = False) -> Reply:
        """Ask once; ``follow`` notes when each piece of the answer came."""
        reply = await self._reply(request, follow=follow)
        self.meter.count(request, reply)
        return reply

    async def send_all(self, requests: Sequence[Request]) -> list[Reply]:
        """Ask all of them, as many at once as is allowed; answers in the order of the requests.

        They are counted in that order too: which of them came first is chance.
        """
        replies: list[Reply | None] = [None] * len(requests)
        places = iter(range(len(requests)))

        async def worker() -> None:
            for place in places:
                replies[place] = await self._reply(requests[place])

        await asyncio.gather(*(worker() for _ in range(min(self._parallel, len(requests)))))
        answered = [reply for reply in replies if reply is not None]
        for request, reply in zip(requests, answered, strict=True):
            self.meter.count(request, reply)
        return answered

    async def _reply(self, request: Request, *, follow: bool = False) -> Reply:
        began = monotonic()
        try:
            return await self._send(request, began, follow)
        except (aiohttp.ClientError, TimeoutError, OSError):
            now = monotonic() - began
            return Reply(0, (), b"", now, now)

    async def _send(self, request: Request, began: float, follow: bool) -> Reply:
        assert self._session is not None
        async with self._session.request(
            request.method,
            self.url + request.path,
            data=request.body or None,
            headers=self._headers(request),
            allow_redirects=False,
        ) as answer:
            headed = monotonic() - began
            body, pieces = bytearray(), []
            async for piece in answer.content.iter_any():
                body += piece
                if follow:
                    pieces.append((monotonic() - began, len(piece)))
                if len(body) > MAX_ANSWER:
                    raise aiohttp.ClientPayloadError
            fields = tuple((key.lower(), value) for key, value in answer.headers.items())
            ended = monotonic() - began
            return Reply(answer.status, fields, bytes(body), headed, ended, tuple(pieces))

    def _headers(self, request: Request) -> dict[str, str]:
        """Without a key, fields that are to hold it are left out."""
        if request.key is None or not self.keys:
            return {name: value for name, value in request.headers.items() if KEY not in value}
        key = self.keys[request.key]
        headers = {name: value.replace(KEY, key) for name, value in request.headers.items()}
        if not any(KEY in value for value in request.headers.values()):
            headers.setdefault("authorization", f"Bearer {key}")
        return headers

"""Asking an issuer over HTTP: its keys, or what a token is.

Rules: an answer is JSON with status 200, of a bounded size and within a bounded time; redirections
and proxies of the environment are not followed, since they would say whom to believe.
"""

import asyncio
import ssl
from typing import Any, Final

import httpx

from extproc.errors import IssuerUnavailable

_ACCEPT: Final = {"accept": "application/json", "accept-encoding": "identity"}


class Issuer:
    """One URL of one issuer; its certificate must be good to the system's authorities."""

    def __init__(self, url: str, seconds: float, *, most: int, connections: int = 1) -> None:
        """``seconds`` for a whole answer, of at most so many bytes."""
        self._url, self._seconds, self._most = url, seconds, most
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._client = httpx.AsyncClient(
            verify=ssl.create_default_context(),
            headers=_ACCEPT,
            timeout=seconds,  # of each step; the whole answer has its own, below
            limits=limits,
            trust_env=False,
            follow_redirects=False,
        )

    async def get(self) -> bytes:
        """Raise IssuerUnavailable."""
        return await self._ask("GET")

    async def post(self, form: dict[str, str], auth: tuple[str, str]) -> bytes:
        """Raise IssuerUnavailable."""
        return await self._ask("POST", data=form, auth=auth)

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask(self, method: str, **more: Any) -> bytes:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._answer(method, **more)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            raise IssuerUnavailable(type(error).__name__) from error

    async def _answer(self, method: str, **more: Any) -> bytes:
        async with self._client.stream(method, self._url, **more) as response:
            if response.status_code != 200:
                raise IssuerUnavailable(f"status {response.status_code}")
            body = b""
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > self._most:
                    raise IssuerUnavailable(f"more than {self._most} bytes")
            return body

"""One receiver of alerts, over HTTPS.

Rules: its certificate must be good to the authorities that are named, or else to the system's;
redirections and proxies of the environment are not followed; of its answer only the status counts,
and nothing of it is kept.  A receiver's URL may be a secret: nothing but its host is ever told.
"""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from extproc.config.receivers import Receiver
from extproc.errors import ConfigError
from extproc.server.detection.cloud_event import CONTENT_TYPE
from extproc.server.detection.webhook_signature import signed

CONNECT: Final = 3.0
"""Seconds until there is a connection; and again until it is encrypted."""
ANSWER: Final = 10.0
"""Seconds for an answer, to its last byte."""
LARGEST: Final = 64 << 10
"""Bytes of an answer that are read."""
_HEADERS: Final = {"content-type": CONTENT_TYPE, "accept-encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt of which nothing is known to have come of."""

    problem: str
    """A status, or the class of an error."""
    after: float = 0.0
    """Seconds that the receiver asks to be left alone for."""


class Webhook:
    """Raise ConfigError where the receiver is none.  To make one reads files: not on the loop."""

    def __init__(self, receiver: Receiver, answer: float = ANSWER) -> None:
        """``answer``: seconds for one."""
        connect = min(CONNECT, answer)
        self.receiver, self._longest = receiver, 2 * connect + answer
        self._settled = asyncio.Event()
        """Unset while a connection is being made."""
        if not receiver.private:
            wrong = f"alerts: {receiver.host} is not on this machine, and its URL is not https"
            raise ConfigError(f"{wrong}; alerts tell who is suspected of what")
        self._client = httpx.AsyncClient(
            verify=receiver.trusted(),
            headers=_HEADERS,
            timeout=httpx.Timeout(answer, connect=connect),
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
            trust_env=False,
            follow_redirects=False,
        )

    async def send(self, identity: str, body: bytes, now: float) -> Failed | None:
        """One attempt, at ``now`` in seconds since 1970; None where it was taken.

        Whoever is cancelled meanwhile waits until the connection is there: httpcore leaves one open
        whose handshake is cancelled.
        """
        self._settled.clear()
        attempt = asyncio.create_task(self._send(identity, body, now))
        try:
            return await asyncio.shield(attempt)
        except asyncio.CancelledError:
            await self._settled.wait()
            attempt.cancel()
            await asyncio.wait({attempt})
            raise

    async def _send(self, identity: str, body: bytes, now: float) -> Failed | None:
        headers = signed(self.receiver.keys, identity, int(now), body)
        request = self._client.build_request(
            "POST",
            self.receiver.url,
            content=body,
            headers=headers,
            extensions={"trace": self._trace},
        )
        try:
            async with asyncio.timeout(self._longest):
                return await self._answered(request, now)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            return Failed(_problem(error))
        finally:
            self._settled.set()

    async def _answered(self, request: httpx.Request, now: float) -> Failed | None:
        answer = await self._client.send(request, stream=True)
        try:
            await _read(answer)
        finally:
            await answer.aclose()
        if answer.is_success:
            return None
        asked = _seconds(answer.headers.get("retry-after", ""), now)
        return Failed(f"status {answer.status_code}", asked)

    async def _trace(self, event: str, _: object) -> None:
        """What httpcore does: what follows the connection begins with the request."""
        if event.startswith("http11."):
            self._settled.set()

    async def close(self) -> None:
        await self._client.aclose()


async def _read(answer: httpx.Response) -> None:
    """To its end, so that the connection serves again, unless that is too far."""
    size = 0
    async for piece in answer.aiter_raw():
        size += len(piece)
        if size > LARGEST:
            return


def _problem(error: BaseException) -> str:
    """The class of the error that a certificate was refused with, where that is why."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return type(cause).__name__
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


def _seconds(text: str, now: float) -> float:
    """Of Retry-After (RFC 9110, section 10.2.3); 0 where it is none."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(0.0, (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - now)

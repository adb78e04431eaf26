"""The demo's caller: one HTTP client, that takes whatever comes for an answer."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

from extproc.demo.answer import Answer
from extproc.envoyconf.settings import Socket

_TIMEOUT: Final = 20.0


@dataclass(frozen=True, slots=True)
class Client:
    """Sends requests to one address.  Made by ``client``."""

    _http: httpx.AsyncClient

    async def post(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        headers: Mapping[str, str] = {},
        on_bytes: Callable[[int], None] = lambda _: None,
    ) -> Answer:
        """Send a JSON document; an answer that breaks off is one too.

        ``on_bytes`` is told, whenever some came, how many bytes of the answer there are.
        """
        content = json.dumps(body, separators=(",", ":")).encode()
        fields = {"content-type": "application/json", "accept-encoding": "identity", **headers}
        began, status, received = _now(), 0, bytearray()
        got: dict[str, str] = {}
        complete = True
        try:
            async with self._http.stream("POST", path, content=content, headers=fields) as response:
                status, got = response.status_code, dict(response.headers)
                async for piece in response.aiter_raw():
                    received += piece
                    on_bytes(len(received))
        except httpx.TransportError:
            complete = False
        return Answer(status, got, bytes(received), complete, _now() - began)


@asynccontextmanager
async def client(address: Socket) -> AsyncIterator[Client]:
    # Without the settings of the environment: a proxy has no business on this machine's loopback.
    async with httpx.AsyncClient(
        base_url=f"http://{address}", timeout=_TIMEOUT, trust_env=False
    ) as http:
        yield Client(http)


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def _now() -> float:
    return asyncio.get_running_loop().time()

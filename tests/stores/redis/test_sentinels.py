"""Sentinels that answer wrongly, or not at all; test_servers.py asks real ones."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from extproc.errors import StoreUnavailable
from extproc.stores.redis.address import Host
from extproc.stores.redis.sentinels import master


class Says(asyncio.Protocol):
    """The same to whatever it is asked, until it is left."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(self._answer)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport.close()


@asynccontextmanager
async def sentinel(answer: bytes) -> AsyncIterator[Host]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Says(answer), "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield host, port


@pytest.mark.parametrize(
    "answer",
    [
        b"*-1\r\n",
        b"-NOAUTH Authentication required.\r\n",
        b"*2\r\n$9\r\n127.0.0.1\r\n$4\r\nport\r\n",
        b"*1\r\n$9\r\n127.0.0.1\r\n",
        b"no Redis at all\r\n",
        b"",
    ],
)
async def test_what_names_no_master_is_none(answer: bytes) -> None:
    async with sentinel(answer) as wrong:
        with pytest.raises(StoreUnavailable, match=r"^no Sentinel names a master$"):
            await master([wrong], "main")

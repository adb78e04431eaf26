"""A server, and the connection to it while there is one: the circuit breaker of the store.

Rule: who calls while there is no connection does not wait.  Connections are made in the background,
again and again; one counts only after it has answered all of its handshake, the last of it as
quickly as a request must be.
"""

import asyncio
import os
import re
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import hiredis
from msgspec import Struct

from extproc.errors import StoreUnavailable
from extproc.stores.redis.address import Address, Host
from extproc.stores.redis.connection import Connection
from extproc.stores.redis.scripts import NAMES, script
from extproc.stores.redis.wire import packed

_DIAL: Final = 1.0
"""Seconds for a connection, TLS and the greeting."""
_PAUSES: Final = 0.05, 1.0
"""Seconds between attempts: the first, and the longest; each is twice the one before."""
_MICROS: Final = 1_000_000


def _nobody() -> None:
    """Nobody is told."""


class Access(Struct, frozen=True):
    """What every connection of a store is made with."""

    address: Address
    wait: float
    """Seconds that a request waits at most."""
    tls: ssl.SSLContext | None = None
    changed: Callable[[], None] = _nobody
    """Called whenever one is made, is lost, or could not be made."""


class Link:
    """Runs until it is closed."""

    def __init__(self, find: Callable[[], Awaitable[Host]], access: Access) -> None:
        self.run = b""
        """The server's run_id: another one whenever it has begun anew."""
        self.offset = 0
        """What to add to the monotonic clock for the server's, in microseconds; not too much."""
        self.fault = "not connected yet"
        """Why there is no connection."""
        self.failures = 0
        """Connections that were lost, or could not be made."""
        self._written = 0
        self._find, self._access = find, access
        self._connection: Connection | None = None
        self._tried = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def up(self) -> bool:
        return self._connection is not None

    @property
    def writes(self) -> int:
        return self._written + (self._connection.writes if self._connection else 0)

    async def start(self) -> None:
        """Return after the first attempt, whatever comes of it."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep())
        await self._tried.wait()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        self.drop()

    def call(self, command: bytes, until: float) -> asyncio.Future[Any]:
        """See Connection.call.  Raise StoreUnavailable at once where there is no connection."""
        if self._connection is None:
            raise StoreUnavailable(self.fault)
        return self._connection.call(command, until)

    def drop(self) -> None:
        """Give the connection up: what answers is not what it was."""
        if self._connection is not None:
            self._connection.close()

    async def _keep(self) -> None:
        pause = _PAUSES[0]
        while True:
            try:
                async with asyncio.timeout(_DIAL):
                    connection = await self._dial()
            except (OSError, StoreUnavailable) as error:  # TimeoutError is an OSError
                self.fault = reason(error)
                pause = min(2 * pause, _PAUSES[1])
            else:
                pause = _PAUSES[0]
                self._connection = connection
                self._tried.set()
                self._access.changed()
                try:
                    await connection.lost
                finally:
                    connection.close()
                self._connection, self.fault = None, "the connection is lost"
                self._written += connection.writes
            self.failures += 1
            self._tried.set()
            self._access.changed()
            await asyncio.sleep(pause)

    async def _dial(self) -> Connection:
        name, port = await self._find()
        loop, tls = asyncio.get_running_loop(), self._access.tls
        if port:
            host = name if tls else None
            _, connection = await loop.create_connection(
                Connection, name, port, ssl=tls, server_hostname=host
            )
        else:
            _, connection = await loop.create_unix_connection(Connection, name)
        try:
            await self._greet(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    async def _greet(self, connection: Connection) -> None:
        until = asyncio.get_running_loop().time() + _DIAL
        replies = await asyncio.gather(
            *(connection.call(command, until) for command in self._greeting())
        )
        for reply in replies:
            if isinstance(reply, hiredis.ReplyError):
                raise StoreUnavailable(f"it refuses: {kind_of_error(reply)}")
        if b"role:slave" in replies[-2]:
            raise StoreUnavailable("it is a replica, in which nothing can be counted")
        found = re.search(rb"run_id:(\w+)", replies[-3])
        if found is None:
            raise StoreUnavailable("it does not say which run it is (INFO server)")
        self.run = found[1]
        loop = asyncio.get_running_loop()
        seconds, micros = replies[-1]
        self.learn(int(seconds) * _MICROS + int(micros))
        pong = await connection.call(packed("PING"), loop.time() + self._access.wait)
        assert not isinstance(pong, hiredis.ReplyError), pong

    def learn(self, now: int) -> None:
        """That the server's clock says so: it was a moment ago."""
        self.offset = now - time.monotonic_ns() // 1000

    def now(self) -> int:
        """About what the server's clock says: not more."""
        return self.offset + time.monotonic_ns() // 1000

    def _greeting(self) -> list[bytes]:
        address, commands = self._access.address, []
        if address.password:
            user = (address.user,) if address.user else ()
            commands.append(packed("AUTH", *user, address.password))
        if address.database:
            commands.append(packed("SELECT", address.database))
        commands += [packed("SCRIPT", "LOAD", script(name).text) for name in NAMES]
        return [*commands, packed("INFO", "server"), packed("INFO", "replication"), packed("TIME")]


def kind_of_error(error: hiredis.ReplyError) -> str:
    """The word that an error begins with, such as NOAUTH, or one that a script met, such as
    READONLY: what follows may hold anything.
    """
    found = re.search(r": -([A-Z]{2,20}) ", str(error)) or re.match(r"([A-Z]{2,20}) ", str(error))
    return found[1] if found else "ERR"


def reason(error: BaseException) -> str:
    """A short cause, which holds nothing of an address."""
    if isinstance(error, StoreUnavailable):
        return str(error)
    if isinstance(error, ssl.SSLError):
        return f"TLS fails: {error.reason or 'no reason given'}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return "it cannot be reached: nobody knows its name"
    number = error.errno if isinstance(error, OSError) else None
    return f"it cannot be reached: {os.strerror(number) if number else type(error).__name__}"

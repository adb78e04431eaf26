"""The control socket: an operator's requests, a line each, answered a line each.

Rules: its file is the sidecar's user's alone (mode 0600); who may open it may act, and is named by
the kernel (SO_PEERCRED, unix(7)), not by what it says.  How many connect, how long a line is and
how long anybody may take is bounded, so that nothing here holds up a request.
"""

import asyncio
import pwd
import socket
import struct
from pathlib import Path
from typing import Final

import msgspec

from extproc.accounts.messages import LONGEST, Answer, Failed, decode_ask, encode
from extproc.errors import ConfigError
from extproc.server import unix_socket
from extproc.server.act_records import Peer
from extproc.server.acts import Acts
from extproc.server.record import Records

MODE: Final = 0o600
CONNECTIONS: Final = 8
"""At one time."""
IDLE: Final = 30.0
"""Seconds that a line may take to come, and an answer to be read."""
_NAMING: Final = 2.0
"""Seconds that the system may take to tell the name of a user."""
_UCRED: Final = struct.Struct("iII")
"""Process, user and group."""

_BUSY: Final = Failed("busy", f"{CONNECTIONS} others are connected; ask again")
_LONG: Final = Failed("malformed", f"a request is a line of at most {LONGEST} bytes")
_BROKEN: Final = Failed("internal", "internal error; see the sidecar's log")


class Control:
    """``start`` raises ConfigError where it cannot listen."""

    def __init__(self, path: Path, acts: Acts, records: Records, idle: float = IDLE) -> None:
        self._path, self._acts, self._records, self._idle = path, acts, records, idle
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._inode = 0

    async def start(self) -> None:
        unix_socket.clear(self._path, "control")
        listening = socket.socket(socket.AF_UNIX)
        try:
            with unix_socket.mode_of_new_sockets(MODE):
                listening.bind(str(self._path))
        except OSError as error:
            listening.close()
            wrong = f"control: cannot listen on {self._path}: {error.strerror}"
            raise ConfigError(f"{wrong}; choose another") from error
        self._inode = self._path.lstat().st_ino
        self._server = await asyncio.start_unix_server(
            self._connected, sock=listening, limit=LONGEST, backlog=CONNECTIONS
        )

    async def close(self) -> None:
        """What is being done is cut off, and recorded as unknown."""
        if self._server is None:
            return
        self._server.close()
        tasks = [*self._open]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._ours():
            self._path.unlink()

    def _ours(self) -> bool:
        """Whether the file is still the one that was made."""
        try:
            return self._path.lstat().st_ino == self._inode
        except OSError:
            return False

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(high=0)  # drain waits until all of it has left
        try:
            if len(self._open) > CONNECTIONS:
                await self._tell(writer, _BUSY)
            else:
                await self._converse(reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass  # whoever asked has gone, or takes too long
        except Exception as error:  # noqa: BLE001 - one request must not end the others
            self._records.fault(error)
            await self._last(writer)
        finally:
            writer.transport.abort()

    async def _last(self, writer: asyncio.StreamWriter) -> None:
        try:
            await self._tell(writer, _BROKEN)
        except (OSError, TimeoutError):
            return

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = await _peer(writer)
        while True:
            try:
                async with asyncio.timeout(self._idle):
                    line = await reader.readuntil(b"\n")
            except asyncio.LimitOverrunError:
                await self._tell(writer, _LONG)
                return
            await self._tell(writer, await self._answered(line, peer))

    async def _answered(self, line: bytes, peer: Peer) -> Answer:
        try:
            ask = decode_ask(line)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return Failed("malformed", f"this is no request: {error}"[:500])
        return await self._acts.answer(ask, peer)

    async def _tell(self, writer: asyncio.StreamWriter, answer: Answer) -> None:
        writer.write(encode(answer) + b"\n")
        async with asyncio.timeout(self._idle):
            await writer.drain()


async def _peer(writer: asyncio.StreamWriter) -> Peer:
    connection = writer.get_extra_info("socket")
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    pid, uid, _ = _UCRED.unpack(raw)
    try:
        async with asyncio.timeout(_NAMING):
            who = await asyncio.to_thread(_name, uid)
    except TimeoutError:
        who = ""
    return Peer(uid, pid, who)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""

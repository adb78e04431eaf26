"""One child process: its log lines, its end, and nothing of it left behind.

Rule: a child is ended by its process id, and dies with this process whatever kills it (Linux).
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from extproc.errors import ExtprocError
from extproc.gateway import launch

Log = Callable[[str], None]
"""Takes one line, without its end."""

_LAST_LINES: Final = 10
_LONGEST_LINE: Final = 64 << 10
_GRACE: Final = 10.0
"""Seconds between the request to end and the end."""


class ChildDied(ExtprocError):  # noqa: N818 - names what happened
    """A process that the gateway needs has ended by itself."""


class Child:
    """A running program.  Made by ``start``, from the thread that outlives it."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Log) -> None:
        self.name = name
        self.last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._process = process
        self._log = log
        self._lines = asyncio.create_task(self._follow())

    @classmethod
    async def start(
        cls, name: str, command: Sequence[str], *, environment: Mapping[str, str], log: Log
    ) -> Self:
        """Run a program in its own session: Ctrl-C is for this process to answer."""
        # -I and -S: the launcher needs nothing of this environment, which the program inherits.
        launcher = (sys.executable, "-I", "-S", str(Path(launch.__file__)), str(os.getpid()))
        process = await asyncio.create_subprocess_exec(
            *launcher,
            *command,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            env=environment,
            limit=_LONGEST_LINE,
            start_new_session=True,
        )
        return cls(name, process, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def wait(self) -> ChildDied:
        """Wait until the process has ended and its last line has been read."""
        await self._process.wait()
        await asyncio.wait({self._lines}, timeout=1)  # a grandchild may hold the pipe open
        code = self._process.returncode or 0
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        return ChildDied("\n".join([f"{self.name} {how}; it said last:", *self.last_lines]))

    def hang_up(self) -> None:
        """Send it SIGHUP, unless it has ended."""
        if self.alive:
            self._process.send_signal(signal.SIGHUP)

    async def stop(self) -> None:
        """Ask it to end, and after a bound make it end."""
        if self.alive:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), _GRACE)
            except TimeoutError:
                self._process.kill()
        await self.wait()
        self._lines.cancel()

    async def _follow(self) -> None:
        while line := await self._line():
            text = line.decode(errors="replace").rstrip()
            self.last_lines.append(text)
            # Who reads the log may be gone; the child must not stop for it when its pipe is full.
            with suppress(OSError):
                self._log(f"{self.name:<7} | {text}")

    async def _line(self) -> bytes:
        assert self._process.stdout is not None
        try:
            return await self._process.stdout.readline()
        except ValueError:  # longer than the limit, and dropped
            return b"(a line too long to show)\n"

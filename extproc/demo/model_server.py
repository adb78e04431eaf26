"""The demo's model server, as a process of its own: started, ready, ended."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from extproc.envoyconf.settings import Socket
from extproc.errors import ConfigError
from extproc.gateway.process import Child, Log

MODELS: Final = ("digits", "digits-teachers", "minilm", "tiny-lm")

_READY: Final = "| ready: "
"""What stands in the line of its log that says so."""
_PATIENCE: Final = 180.0
"""Seconds; a busy machine takes a minute to train what others train in five seconds."""


@dataclass(frozen=True, slots=True)
class ModelServer:
    """The process; what else is slow may start meanwhile."""

    child: Child
    address: Socket
    said_ready: asyncio.Event

    async def ready(self) -> None:
        """Wait until it answers.

        Raise ChildDied where it ends before, ConfigError where it takes too long.
        """
        ready = asyncio.create_task(self.said_ready.wait())
        death = asyncio.create_task(self.child.wait())
        try:
            await asyncio.wait(
                {ready, death}, timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED
            )
            if death.done():
                raise death.result()
            if not ready.done():
                raise ConfigError(f"the models are not ready after {_PATIENCE:.0f} seconds")
        finally:
            ready.cancel()
            death.cancel()


@asynccontextmanager
async def model_server(
    log: Log, port: int, models: Sequence[str] = MODELS, pace: float = 0.0
) -> AsyncIterator[ModelServer]:
    """Run it for the length of the block, on 127.0.0.1; ``pace`` as of the command."""
    said_ready = asyncio.Event()

    def follow(line: str) -> None:
        if _READY in line:
            said_ready.set()
        log(line)

    where = ("--host", "127.0.0.1", "--port", str(port))
    options = (*where, "--models", ",".join(models), "--pace", str(pace))
    command = (sys.executable, "-m", "extproc.demo.server", *options)
    child = await Child.start("models", command, environment=os.environ, log=follow)
    try:
        yield ModelServer(child, Socket("127.0.0.1", port), said_ready)
    finally:
        await child.stop()

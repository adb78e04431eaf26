"""The demo's model server, as a process of its own: started, ready, ended."""

import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from extproc.envoyconf.settings import Socket
from extproc.gateway import probe
from extproc.gateway.process import Child, Log

MODELS: Final = ("digits", "minilm", "tiny-lm")

_READY: Final = "ready: "
"""How its line begins that says so."""


@dataclass(frozen=True, slots=True)
class ModelServer:
    """The process; what else is slow may start meanwhile."""

    child: Child
    address: Socket

    async def ready(self) -> None:
        """Wait until it answers.

        Raise ChildDied where it ends before, ConfigError where it takes too long.
        """

        async def says_so() -> bool:
            return any(line.startswith(_READY) for line in self.child.last_lines)

        await probe.until(says_so, self.child)


@asynccontextmanager
async def model_server(
    log: Log, port: int, models: Sequence[str] = MODELS
) -> AsyncIterator[ModelServer]:
    """Run it for the length of the block, on 127.0.0.1."""
    options = ("--host", "127.0.0.1", "--port", str(port), "--models", ",".join(models))
    command = (sys.executable, "-m", "extproc.demo.server", *options)
    child = await Child.start("models", command, environment=os.environ, log=log)
    try:
        yield ModelServer(child, Socket("127.0.0.1", port))
    finally:
        await child.stop()

"""All three processes: the models, and in front of them the sidecar and Envoy."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from extproc.demo.model_server import ModelServer, model_server
from extproc.demo.policy_file import Issued, free_port, issue
from extproc.envoyconf.settings import Gateway, Socket, Upstream
from extproc.gateway.process import ChildDied, Log
from extproc.gateway.running import Running, Setup, running
from extproc.gateway.up import serve_command


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to run, and where to say what happens."""

    directory: Path
    """Of this user alone."""
    policy: str
    """The text of a policy to fill in."""
    listen: Socket
    log: Log
    """Gets the lines of all three."""
    progress: Log
    """Gets a line before what takes long."""


@dataclass(frozen=True, slots=True)
class Stage:
    """All three, ready to serve."""

    models: ModelServer
    gateway: Running
    issued: Issued

    async def died(self) -> ChildDied:
        """Wait until one of the three ends by itself; says which, and its last words."""
        waits = [
            asyncio.create_task(self.models.child.wait()),
            asyncio.create_task(self.gateway.ended()),
        ]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return done.pop().result()


@asynccontextmanager
async def stage(wanted: Wanted) -> AsyncIterator[Stage]:
    """Run all three for the length of the block.

    Raise ConfigError where something cannot be used, ChildDied where a process does not come up.
    """
    issued = issue(wanted.directory, wanted.policy)
    async with AsyncExitStack() as stack:
        wanted.progress("starting the models, the sidecar and Envoy")
        models = await stack.enter_async_context(model_server(wanted.log, free_port()))
        gateway = await stack.enter_async_context(running(_setup(wanted, models, issued)))
        wanted.progress("loading the models; the first time takes some seconds longer")
        await models.ready()
        yield Stage(models, gateway, issued)


def _setup(wanted: Wanted, models: ModelServer, issued: Issued) -> Setup:
    gateway = Gateway(
        upstream=Upstream(models.address),
        sidecar=issued.listen,
        listen=wanted.listen,
        admin=Socket("127.0.0.1", 0),
    )
    return Setup(gateway, serve_command(issued.policy), wanted.directory, wanted.log)

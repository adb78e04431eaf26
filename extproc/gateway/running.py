"""A gateway that runs: the sidecar first, then Envoy; ended the other way round.

Rule: Envoy never runs without its sidecar.  The bootstrap that is run is checked as any other.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from extproc.envoyconf.bootstrap import bootstrap
from extproc.envoyconf.check import problems
from extproc.envoyconf.settings import Gateway, Socket, parse_socket
from extproc.envoyconf.text import to_yaml
from extproc.errors import ConfigError
from extproc.gateway import probe
from extproc.gateway.binary import envoy_path
from extproc.gateway.process import Child, ChildDied, Log


@dataclass(frozen=True, slots=True)
class Setup:
    """What to run, and where."""

    gateway: Gateway
    """Port 0 lets the kernel choose one; ``admin`` must be there."""
    sidecar: tuple[str, ...]
    """The sidecar's command: it must listen on ``gateway.sidecar``."""
    directory: Path
    """For the bootstrap and what Envoy writes; nobody else's."""
    log: Log
    concurrency: int = field(default_factory=lambda: min(2, os.cpu_count() or 1))
    """Envoy's worker threads."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to the sidecar's."""


@dataclass(frozen=True, slots=True)
class Running:
    """Both processes, ready to serve."""

    address: Socket
    """Where clients connect to."""
    admin: Socket
    envoy: Child
    sidecar: Child

    async def ended(self, *beside: Child) -> ChildDied:
        """Wait until one of them, or of these, ends by itself; says which, and its last words."""
        both = (self.sidecar, self.envoy)
        waits = [asyncio.create_task(child.wait()) for child in (*both, *beside)]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return done.pop().result()


@asynccontextmanager
async def running(setup: Setup) -> AsyncIterator[Running]:
    """Start both, wait until they serve, and end both.

    The calling thread must live as long: when it ends, the kernel ends the children.
    Raise ConfigError where something cannot be used, ChildDied where a process does not come up.
    """
    program = envoy_path(os.environ)
    await _refuse_taken(setup.gateway)
    async with AsyncExitStack() as stack:
        sidecar = await _start_sidecar(setup, stack)
        # Rendering takes a second or two, in which the sidecar comes up as well.
        rendered = await asyncio.to_thread(_rendered, setup.gateway)
        config = setup.directory / "envoy.yaml"
        # Not in the thread: that goes on where this is cancelled, when the folder is being removed.
        config.write_text(rendered, encoding="utf-8")
        await probe.until(lambda: probe.answers(setup.gateway.sidecar), sidecar)
        envoy = await _start_envoy(setup, program, config, stack)
        admin = await _admin(setup, envoy)
        await probe.until(lambda: probe.ready(admin), envoy)
        yield Running(await probe.listening(admin), admin, envoy, sidecar)


async def _refuse_taken(gateway: Gateway) -> None:
    """Say which address another process has, rather than let a child fail on it.

    Envoy would even share its port with another Envoy, and each would get half of the requests.
    """
    for name, taken in (("listen", gateway.listen), ("admin", gateway.admin)):
        if taken is not None and taken.port:
            _bind_once(name, taken)
    if await probe.answers(gateway.sidecar):
        raise ConfigError(f"another process listens on {gateway.sidecar}: is a sidecar running?")


def _bind_once(name: str, address: Socket) -> None:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family) as probed:
        probed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probed.bind((address.host, address.port))
        except OSError as error:
            wrong = f"{name}: cannot use {address}: {error.strerror}"
            raise ConfigError(f"{wrong}; end what uses it, or choose another address") from error


def _rendered(gateway: Gateway) -> str:
    document = bootstrap(gateway)
    assert not problems(document)
    return to_yaml(document)


async def _start_sidecar(setup: Setup, stack: AsyncExitStack) -> Child:
    # Which base file binds it is for the command to say.
    inherited = {name: value for name, value in os.environ.items() if name != "EXTPROC_BASE"}
    environment = {**inherited, **setup.environment}
    child = await Child.start("sidecar", setup.sidecar, environment=environment, log=setup.log)
    stack.push_async_callback(child.stop)
    return child


async def _start_envoy(setup: Setup, program: Path, config: Path, stack: AsyncExitStack) -> Child:
    command = (
        *(str(program), "--config-path", str(config)),
        *("--admin-address-path", str(_admin_file(setup))),
        *("--concurrency", str(setup.concurrency)),
        *("--log-level", "warning"),
        *("--file-flush-interval-msec", "500"),  # the access log's: by default ten seconds
        "--disable-hot-restart",  # or a second gateway on this machine would not start
    )
    child = await Child.start("envoy", command, environment=os.environ, log=setup.log)
    stack.push_async_callback(child.stop)
    return child


def _admin_file(setup: Setup) -> Path:
    return setup.directory / "envoy-admin"


async def _admin(setup: Setup, envoy: Child) -> Socket:
    """Where Envoy's admin page is, which it writes to a file once it listens."""
    file = _admin_file(setup)

    async def written() -> bool:
        return file.is_file() and ":" in file.read_text(encoding="utf-8")

    await probe.until(written, envoy)
    return parse_socket(file.read_text(encoding="utf-8"))

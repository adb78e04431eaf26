"""A real Envoy and the stand-in sidecar, in front of a scripted model server."""

import asyncio
import ssl
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from extproc.envoyconf.settings import Address, Gateway, Pipe, Socket, Tls, parse_upstream
from extproc.gateway.running import Running, Setup, running
from tests.e2e.upstream import Upstream

DEADLINE = 20.0
_never = threading.Event()
LOCAL = Socket("127.0.0.1", 0)


def standin(address: Address) -> tuple[str, ...]:
    return (sys.executable, "-m", "tests.gateway.standin", str(address))


def setup(
    directory: Path, upstream: str, log: Callable[[str], None], tls: Tls | None = None
) -> Setup:
    sidecar, to = Pipe(str(directory / "sidecar.sock")), parse_upstream(upstream)
    gateway = Gateway(upstream=to, sidecar=sidecar, listen=LOCAL, admin=LOCAL, tls=tls)
    return Setup(gateway, standin(sidecar), directory, log, concurrency=1)


@dataclass(frozen=True, slots=True)
class Rig:
    run: Running
    upstream: Upstream
    log: list[str]

    async def ask(self, head: str, body: bytes = b"", tls: ssl.SSLContext | None = None) -> bytes:
        """Send a request, as bytes, and return all that comes back until the end."""
        return await ask(self.run.address, head, body, tls)


@asynccontextmanager
async def rig(directory: Path, tls: Tls | None = None) -> AsyncIterator[Rig]:
    log: list[str] = []
    with Upstream() as upstream:
        url = f"http://127.0.0.1:{upstream.port}"
        async with running(setup(directory, url, log.append, tls)) as run:
            yield Rig(run, upstream, log)


async def ask(
    address: Socket, head: str, body: bytes = b"", tls: ssl.SSLContext | None = None
) -> bytes:
    """``head`` has one header field a line; the connection is closed after the answer."""
    lines = [*head.splitlines(), "connection: close", "", ""]
    reader, writer = await asyncio.open_connection(address.host, address.port, ssl=tls)
    writer.write("\r\n".join(lines).encode() + body)
    try:
        return await asyncio.wait_for(reader.read(-1), DEADLINE)
    finally:
        writer.close()


async def until(true: Callable[[], bool]) -> None:
    """Look again and again, until it is so or the deadline has passed."""
    async with asyncio.timeout(DEADLINE):
        while not true():
            await asyncio.to_thread(_never.wait, 0.02)


PROGRAMS = {"envoy": "envoy", "redis-server": "redis", "prometheus": "prometheus"}
"""By the name that the kernel has for them; what has another name is the sidecar."""


class Children:
    """What was started since: others may be running, of other tests."""

    def __init__(self) -> None:
        self._others = _children()

    def pids(self) -> dict[str, int]:
        found = _children() - self._others
        return {PROGRAMS.get(_name(pid), "sidecar"): pid for pid in found}


def _children() -> frozenset[int]:
    """The process ids of this process's children that live."""
    lists = [
        path.read_text(encoding="ascii") for path in Path("/proc/self/task").glob("*/children")
    ]
    return frozenset(int(pid) for pid in " ".join(lists).split() if not gone(int(pid)))


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()


def gone(pid: int) -> bool:
    """Whether a process has ended, and is no zombie either."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"

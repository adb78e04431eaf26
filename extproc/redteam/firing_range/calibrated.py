"""Detection made ready by ``extproc calibrate``, as an operator makes it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from extproc.redteam.firing_range import benign_traffic
from extproc.redteam.firing_range.command import command
from extproc.redteam.firing_range.issue import CALIBRATION, issue

_MADE: Final = (0, 1)
"""Exit codes: so few callers never bear out what thousands would."""


@asynccontextmanager
async def calibrated(source: Path, seed: int, share: int) -> AsyncIterator[Awaitable[bytes]]:
    """What is made for a policy file meanwhile, for the keys of the seed; empty where it does not
    detect.  It is broken off where the block ends first.

    ``share``: lines of benign traffic, of each class, in a quarter of it.  What is waited for
    raises ValueError where the policy file cannot be used, ProcessDied where the command fails.
    """
    task = asyncio.create_task(_calibrated(source, seed, share))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _calibrated(source: Path, seed: int, share: int) -> bytes:
    with TemporaryDirectory(prefix="extproc-redteam-") as name:
        directory = Path(name)
        issued = issue(source, directory, seed, (), "127.0.0.1:1")
        if not issued.traffic:
            return b""
        traffic, into = directory / "traffic.jsonl", directory / CALIBRATION
        now = datetime.now(UTC).timestamp()
        asked = (traffic, issued.traffic, seed, share, now)
        await asyncio.to_thread(benign_traffic.write, *asked)
        options = ("--policy", str(issued.policy), "--into", str(into))
        await command("calibrate", str(traffic), *options, ended=_MADE)
        return into.read_bytes()

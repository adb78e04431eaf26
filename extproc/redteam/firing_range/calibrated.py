"""Detection made ready by ``extproc calibrate``, as an operator makes it."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from extproc.redteam.firing_range import benign_traffic
from extproc.redteam.firing_range.issue import CALIBRATION, issue
from extproc.redteam.firing_range.process import ProcessDied

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
        await _run(str(traffic), "--policy", str(issued.policy), "--into", str(into))
        return into.read_bytes()


async def _run(*arguments: str) -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "extproc", "calibrate", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        said, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode not in _MADE:
        raise ProcessDied(f"extproc calibrate failed:\n{said.decode(errors='replace').strip()}")

"""A command of ``extproc`` that is run to its end, as an operator runs it."""

import asyncio
import sys
from collections.abc import Collection

from extproc.redteam.firing_range.process import ProcessDied


async def command(name: str, *arguments: str, ended: Collection[int] = (0,)) -> None:
    """Raise ProcessDied, with what it said, where it ends with another exit code than these."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "extproc", name, *arguments),
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
    if child.returncode not in ended:
        raise ProcessDied(f"extproc {name} failed:\n{said.decode(errors='replace').strip()}")

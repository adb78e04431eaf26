"""What tenants_example.py and suspects_example.py have in common: who answers their commands."""

import asyncio
import io
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from extproc.server.acts import Acts
from extproc.server.control import Control
from extproc.server.record import Records

CHANGING = re.compile(r'"time":"[^"]*",|(?<="pid":)\d+|(?<="uid":)\d+|(?<="who":")\w+')


def main(folder: Path, run: Callable[[list[str]], Awaitable[None]]) -> None:
    """Run the command line's commands, with a folder that is gone afterwards."""
    folder.mkdir(mode=0o700)
    try:
        asyncio.run(run(sys.argv[1:]))
    finally:
        shutil.rmtree(folder)


async def answer(
    commands: list[str],
    policy: Path,
    acts: Acts,
    log: io.BytesIO,
    records: Records,
    others: Mapping[str, Callable[[], str]] = {},
) -> None:
    """Print what each prints, behind its own line, or where the last is ``log`` what the log says;
    ``others`` are no commands of extproc's.
    """
    control = Control(policy.with_name("control.sock"), acts, records)
    await control.start()
    for command in commands:
        if command in others:
            print(others[command]())
        elif command != "log":
            await _show(command, policy, told=commands[-1] != "log")
    await control.close()
    records.close()
    if commands[-1] == "log":
        print(CHANGING.sub(_dots, log.getvalue().decode()), end="")


async def _show(command: str, policy: Path, *, told: bool) -> None:
    arguments = [*shlex.split(command)[1:], "--policy", str(policy)]
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "extproc", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if told:
        code = f"exit code {ended.returncode}\n" if ended.returncode else ""
        print(f"$ {command}\n{ended.stdout}{ended.stderr}{code}")


def _dots(found: re.Match[str]) -> str:
    return "" if found[0].startswith('"time"') else "..."

"""A process that says when it is ready, and is ended with the block.

Rule: its last lines are kept, so that its death can be told; it is ended by SIGTERM, and killed
where it does not heed that.
"""

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

PATIENCE: Final = 180.0
"""Seconds until it is to be ready: a busy machine trains the demo's models in a minute."""
GRACE: Final = 15.0
"""Seconds from SIGTERM to SIGKILL."""
_LAST_LINES: Final = 8


class ProcessDied(Exception):  # noqa: N818 -- says what happened
    """A process of the range ended, or was not ready in time; its last lines."""


@asynccontextmanager
async def process(
    name: str, command: Sequence[str], ready: Callable[[str], bool]
) -> AsyncIterator[None]:
    """Run it for the length of the block, which begins when a line of its output is ``ready``.

    Raise ProcessDied where it takes too long, or ends by itself; the block is broken off then.
    """
    child = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    )
    last: deque[str] = deque(maxlen=_LAST_LINES)
    said = asyncio.Event()
    reading = asyncio.create_task(_follow(child, last, said, ready))
    try:
        await _until_ready(name, said, reading, last)
        async with _alive(name, reading, last):
            yield
    finally:
        await _end(child)
        await reading


async def _follow(
    child: asyncio.subprocess.Process,
    last: deque[str],
    said: asyncio.Event,
    ready: Callable[[str], bool],
) -> None:
    assert child.stdout is not None
    while line := await child.stdout.readline():
        text = line.decode(errors="replace").rstrip()
        last.append(text)
        if ready(text):
            said.set()


@asynccontextmanager
async def _alive(name: str, reading: asyncio.Task[None], last: deque[str]) -> AsyncIterator[None]:
    """Break the block off when the process ends within it, as a timeout would."""
    task = asyncio.current_task()
    assert task is not None
    died = False

    def broken_off(_: asyncio.Task[None]) -> None:
        nonlocal died
        died = True
        task.cancel()

    reading.add_done_callback(broken_off)
    try:
        yield
    except asyncio.CancelledError:
        if died and task.uncancel() == 0:
            raise ProcessDied(_told(f"{name} ended while it was attacked", last)) from None
        raise
    finally:
        reading.remove_done_callback(broken_off)


def _told(what: str, last: deque[str]) -> str:
    return "\n".join([f"{what}; its last lines:", *last])


async def _until_ready(
    name: str, said: asyncio.Event, reading: asyncio.Task[None], last: deque[str]
) -> None:
    waiting = asyncio.create_task(said.wait())
    try:
        await asyncio.wait(
            {waiting, reading}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        waiting.cancel()
    if not said.is_set():
        raise ProcessDied(_told(f"{name} did not come up", last))


async def _end(child: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        child.terminate()
    try:
        await asyncio.wait_for(child.wait(), GRACE)
    except TimeoutError:
        child.kill()
        await child.wait()

"""A process that says when it is ready."""

import asyncio
import sys

import pytest

from extproc.redteam.firing_range.process import ProcessDied, process


def _python(script: str) -> tuple[str, ...]:
    return (sys.executable, "-c", script)


def _is_ready(line: str) -> bool:
    return line == "ready"


async def test_the_block_runs_while_it_is_ready() -> None:
    async with process(
        "it", _python("print('ready'); import signal; signal.pause()"), _is_ready
    ) as nothing:
        assert nothing is None


async def test_one_that_ends_before_it_is_ready_is_told_with_its_last_lines() -> None:
    with pytest.raises(ProcessDied, match="it did not come up; its last lines:\nno port"):
        async with process("it", _python("print('no port')"), _is_ready):
            raise AssertionError


async def test_one_that_dies_breaks_the_block_off() -> None:
    with pytest.raises(ProcessDied, match="it ended while it was attacked; its last lines:\nready"):
        async with process("it", _python("print('ready')"), _is_ready):
            await asyncio.Event().wait()


async def test_a_block_that_is_cancelled_is_no_death() -> None:
    async def block() -> None:
        async with process(
            "it", _python("print('ready'); import signal; signal.pause()"), _is_ready
        ):
            await asyncio.Event().wait()

    task = asyncio.create_task(block())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

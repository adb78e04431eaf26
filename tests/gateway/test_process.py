import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from extproc.gateway import process
from extproc.gateway.process import Child, Log
from tests.gateway.rig import DEADLINE, gone, until

SLEEPING = "import signal; print('up', flush=True); signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SLEEPING
PARENT = """
import asyncio, os, sys
from extproc.gateway.process import Child

async def main():
    command = [sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()"]
    child = await Child.start("child", command, environment=os.environ, log=lambda line: None)
    while not child.last_lines:
        await asyncio.sleep(0)
    print(child.pid, flush=True)
    await child.wait()

asyncio.run(main())
"""


@asynccontextmanager
async def _child(code: str, log: Log, **environment: str) -> AsyncIterator[Child]:
    command = (sys.executable, "-c", code)
    child = await Child.start("child", command, environment={**os.environ, **environment}, log=log)
    try:
        yield child
    finally:
        await child.stop()


async def _ended(code: str) -> tuple[str, list[str]]:
    """What is said of a child that has run this, and its lines."""
    lines: list[str] = []
    async with _child(code, lines.append) as child:
        return str(await asyncio.wait_for(child.wait(), DEADLINE)), lines


async def test_every_line_of_both_outputs_says_whose_it_is() -> None:
    _, lines = await _ended(
        "import sys; print('one', flush=True); print('two', file=sys.stderr); print('\\u00e4')"
    )

    assert lines == ["child   | one", "child   | two", "child   | \u00e4"]


async def test_of_a_child_that_ends_the_code_and_the_last_lines_are_told() -> None:
    said, lines = await _ended("print(*range(50), sep='\\n'); raise SystemExit(7)")

    assert said.startswith("child ended with code 7; it said last:\n40\n41\n")
    assert said.endswith("\n49")
    assert len(lines) == 50


async def test_of_a_child_that_is_killed_the_signal_is_told() -> None:
    said, _ = await _ended("import os; os.kill(os.getpid(), 9)")

    assert said.startswith("child was killed by signal 9")


async def test_a_line_without_end_does_not_fill_the_memory() -> None:
    _, lines = await _ended("print('x' * 1_000_000); print('after')")

    assert lines[-1] == "child   | after"
    assert "child   | (a line too long to show)" in lines
    assert max(map(len, lines)) <= (64 << 10) + len("child   | ")


async def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    _, lines = await _ended("import sys; sys.stdout.buffer.write(b'\\xff\\n')")

    assert lines == ["child   | \ufffd"]


async def test_a_child_goes_on_when_nobody_reads_its_log() -> None:
    def closed(line: str) -> None:
        raise BrokenPipeError

    async with _child("print(*range(100_000), sep='\\n')", closed) as child:
        said = await asyncio.wait_for(child.wait(), DEADLINE)

    assert "ended with code 0" in str(said)


async def test_a_child_has_a_session_of_its_own_and_its_environment() -> None:
    lines: list[str] = []
    code = "import os; print(os.environ['MINE']);" + SLEEPING
    async with _child(code, lines.append, MINE="yes") as child:
        await until(lambda: len(lines) == 2)

        assert os.getsid(child.pid) == child.pid
        assert lines == ["child   | yes", "child   | up"]


async def test_a_child_is_asked_to_end() -> None:
    lines: list[str] = []
    async with _child(SLEEPING, lines.append) as child:
        await until(lambda: bool(lines))

    assert not child.alive
    assert str(await child.wait()).startswith("child was killed by signal 15")
    assert gone(child.pid)


async def test_a_child_that_will_not_end_is_made_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_GRACE", 0.1)
    lines: list[str] = []
    async with _child(STUBBORN, lines.append) as child:
        await until(lambda: bool(lines))

    assert str(await child.wait()).startswith("child was killed by signal 9")
    assert gone(child.pid)


async def test_a_program_that_is_not_there_is_a_child_that_died() -> None:
    child = await Child.start("child", ["/no/such"], environment=os.environ, log=lambda line: None)

    said = str(await asyncio.wait_for(child.wait(), DEADLINE))

    assert "ended with code 1" in said
    assert "/no/such" in said or "No such file" in said


async def test_a_child_dies_with_its_parent_however_that_dies() -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    child = int(await asyncio.wait_for(parent.stdout.readline(), DEADLINE))
    assert not gone(child)

    parent.send_signal(signal.SIGKILL)
    await parent.wait()

    await until(lambda: gone(child))

"""A run that is broken off, by Ctrl-C or by a supervisor, wherever it is."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from tests.redteam.faulty import bearer, model, refusal, serving
from tests.redteam.planted_servers import KEY, honest
from tests.redteam.target.test_target import _target

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
OPTIONS = ("--attack", "equation-solving", "--budget", "40", "--seeds", "3")
PATIENCE = 180.0
"""Seconds, on a busy machine; nothing waits so long elsewhere."""
SAID = "extproc redteam: interrupted: the same command goes on from here"
_honest = model(lambda inputs: honest(inputs, "planted"))


@dataclass(slots=True)
class Stuck:
    """A gateway that answers until a trial has been kept, and then not before it is let go."""

    directory: Path
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        if self.kept():
            self.reached.set()
            await self.let_go.wait()
        if bearer(request) not in {KEY, "xk-two", "xk-three"}:
            return refusal(401)
        return await _honest(request)

    def kept(self) -> int:
        """Trials; the first two lines are the fingerprint and the preflight."""
        journal = self.directory / "out" / "journal.jsonl"
        return max(0, journal.read_bytes().count(b"\n") - 2) if journal.is_file() else 0


@asynccontextmanager
async def _stuck(directory: Path) -> AsyncIterator[Stuck]:
    gateway = Stuck(directory)
    async with serving(gateway.handle) as url:
        _target(directory, url=url)
        try:
            yield gateway
        finally:
            gateway.let_go.set()


async def _begun(directory: Path) -> asyncio.subprocess.Process:
    """The command, in a process group of its own."""
    options = ("--target", str(directory / "target.yaml"), "--directory", str(directory / "out"))
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "extproc", "redteam", *options, *OPTIONS),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        cwd=ROOT,
    )


async def _ended(running: asyncio.subprocess.Process) -> list[str]:
    """What it says until it ends; it is killed where it does not."""
    try:
        _, told = await asyncio.wait_for(running.communicate(), PATIENCE)
    finally:
        if running.returncode is None:
            os.killpg(running.pid, signal.SIGKILL)
            await running.wait()
    return told.decode().splitlines()


async def _reached(gateway: Stuck, running: asyncio.subprocess.Process) -> None:
    """A trial is kept and the next one waits; fails at once where the command has ended."""
    ended, reached = (
        asyncio.create_task(each) for each in (running.wait(), gateway.reached.wait())
    )
    both = {ended, reached}
    await asyncio.wait(both, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    for task in both:
        task.cancel()
    assert gateway.reached.is_set(), (await running.communicate())[1].decode()


def _alone(process: int, number: int) -> None:
    os.kill(process, number)


async def _all_end(group: int) -> None:
    """Those who keep no more than its semaphores end a moment after it."""
    await _until(lambda: not any(_of(group, each) for each in Path("/proc").glob("[0-9]*")))


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not is_so():  # noqa: ASYNC110 -- other processes set no event
            await asyncio.sleep(0)


def _of(group: int, process: Path) -> bool:
    """Whether it is one of the group, and alive."""
    try:
        state, _, itself = (process / "stat").read_text().rpartition(")")[2].split()[:3]
    except OSError:
        return False
    return itself == str(group) and state != "Z"


@pytest.mark.parametrize("whom", [os.killpg, _alone], ids=["the whole group", "the command alone"])
async def test_within_a_trial_it_says_so_and_ends_all(
    tmp_path: Path, whom: Callable[[int, int], None]
) -> None:
    async with _stuck(tmp_path) as gateway:
        running = await _begun(tmp_path)
        await _reached(gateway, running)
        whom(running.pid, signal.SIGINT)
        told = [line for line in await _ended(running) if " left; last: " not in line]
    assert told == ["starting what is attacked", "looking at it", SAID]
    assert running.returncode == 130
    await _all_end(running.pid)


async def test_the_same_command_goes_on(tmp_path: Path) -> None:
    async with _stuck(tmp_path) as gateway:
        running = await _begun(tmp_path)
        await _reached(gateway, running)
        os.killpg(running.pid, signal.SIGTERM)
        assert (await _ended(running))[-1] == SAID
        kept = gateway.kept()
        assert 1 <= kept < 3
        gateway.let_go.set()
        told = await _ended(await _begun(tmp_path))
        assert told[0] == f"{kept} of 3 trials are in the journal"
        assert gateway.kept() == 3


async def test_while_its_processes_start_it_ends_too(tmp_path: Path) -> None:
    async with _stuck(tmp_path):
        running = await _begun(tmp_path)
        await _until(lambda: _has_workers(running.pid))
        os.killpg(running.pid, signal.SIGINT)
        assert (await _ended(running))[-1] == SAID
    assert running.returncode == 130
    await _all_end(running.pid)


def _has_workers(process: int) -> bool:
    """One at least: it has not read yet what it is to know."""
    children = Path(f"/proc/{process}/task/{process}/children")
    return any("spawn_main" in _command(child) for child in children.read_text().split())


def _command(process: str) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return ""

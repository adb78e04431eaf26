"""The processes that run trials.

Rule: they are started afresh rather than forked, with one thread each for linear algebra: two
trials at once are what two cores are for, and sums come out the same on any number of them.  They
never hear what a terminal or a supervisor says to the whole group: whoever started them ends them.
"""

import asyncio
import multiprocessing
import os
import pickle
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from tempfile import NamedTemporaryFile
from typing import Final

from extproc.redteam import worker
from extproc.redteam.firing_range.process import ProcessDied
from extproc.redteam.worker import Known, Outcome, Task

WIDTH: Final = 2
"""Processes."""
_GROUP: Final = {signal.SIGINT, signal.SIGTERM}
"""What is sent to all processes of a group at once."""
_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Workers:
    """Ready to run trials."""

    pool: ProcessPoolExecutor

    async def run(
        self, tasks: Iterable[Task], width: int
    ) -> AsyncGenerator[tuple[Task, Outcome], None]:
        """Outcomes as they come, ``width`` trials at once.

        Raise ProcessDied where a process that runs trials ends.
        """
        loop, waiting = asyncio.get_running_loop(), iter(tasks)
        under_way: dict[asyncio.Future[Outcome], Task] = {}
        try:
            while True:
                for task in _first(waiting, width - len(under_way)):
                    under_way[self._begun(loop, task)] = task
                if not under_way:
                    return
                done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                for future in done:
                    task = under_way.pop(future)
                    yield task, _outcome(task, future)
        finally:
            for future in under_way:
                future.cancel()  # nobody asks any more what became of them

    def _begun(self, loop: asyncio.AbstractEventLoop, task: Task) -> "asyncio.Future[Outcome]":
        try:
            with _unheard():
                return loop.run_in_executor(self.pool, worker.run, task)
        except BrokenProcessPool as error:
            raise _gone(task) from error


@asynccontextmanager
async def workers(known: Mapping[str, Known]) -> AsyncIterator[Workers]:
    """Processes that know these victims, for the length of the block; what runs then is ended.

    What they know goes through a file: a process that ends before it has read all of a pipe would
    be waited for without end.
    """
    spawn = multiprocessing.get_context("spawn")
    before = set(multiprocessing.active_children())
    with NamedTemporaryFile(prefix="extproc-redteam-") as file:
        pickle.dump(dict(known), file)
        file.flush()
        pool = ProcessPoolExecutor(WIDTH, spawn, worker.begin, (file.name,))
        try:
            with _one_thread():
                yield Workers(pool)
        finally:
            for child in set(multiprocessing.active_children()) - before:
                child.kill()
            # It waits for them by what is closed once nobody has them any more.
            pool.shutdown(wait=True, cancel_futures=True)


def _first(waiting: Iterator[Task], count: int) -> Iterator[Task]:
    for _, task in zip(range(count), waiting, strict=False):
        yield task


def _outcome(task: Task, future: "asyncio.Future[Outcome]") -> Outcome:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise _gone(task) from error


def _gone(task: Task) -> ProcessDied:
    return ProcessDied(f"a process that ran {task.planned.name} was ended")


@contextmanager
def _unheard() -> Iterator[None]:
    """What is sent to the group waits for the end of the block, and for those who are started
    within it, for ever.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _GROUP)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _one_thread() -> Iterator[None]:
    """For processes that are started within the block."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value

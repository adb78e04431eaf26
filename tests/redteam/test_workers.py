"""The processes that run trials."""

import asyncio
import gc
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from extproc.redteam.firing_range.process import ProcessDied
from extproc.redteam.judge import Judge
from extproc.redteam.plan import Planned
from extproc.redteam.worker import Known, Task
from extproc.redteam.workers import workers
from tests.redteam.faulty import Handler
from tests.redteam.faulty import serving as answering
from tests.redteam.planted_servers import VICTIM, honest, serving

pytestmark = pytest.mark.slow


def _task(url: str, seed: int, victim: str = "planted") -> Task:
    return Task(Planned("equation-solving", victim, "none", seed, (5,)), url, url, (), 4)


async def test_every_trial_has_one_outcome_and_one_that_raises_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    async with serving(honest) as url, workers({"planted": Known(VICTIM, None)}) as crew:
        tasks = [_task(url, 1, "moon"), _task(url, 2, "moon"), _task(url, 3, "moon")]
        found = [(task.planned.seed, outcome) async for task, outcome in crew.run(tasks, 2)]
    assert sorted(seed for seed, _ in found) == [1, 2, 3]
    assert all(outcome.failure.startswith("KeyError at worker.py:") for _, outcome in found)
    assert os.environ.get("OPENBLAS_NUM_THREADS") is None, "only the workers have one thread"


def _heard_by_it() -> set[signal.Signals]:
    return {signal.SIGINT, signal.SIGTERM} - signal.pthread_sigmask(signal.SIG_BLOCK, ())


async def test_who_started_them_hears_what_is_sent_to_the_group_and_they_do_not() -> None:
    async with serving(honest) as url, workers({"planted": Known(VICTIM, None)}) as crew:
        [_] = [each async for each in crew.run([_task(url, 1, "moon")], 1)]
        assert crew.pool.submit(_heard_by_it).result() == set()
    assert _heard_by_it() == {signal.SIGINT, signal.SIGTERM}


class Deadly:
    """Ends the process that reads it."""

    def __reduce__(self) -> tuple[object, ...]:
        return os._exit, (1,)


async def test_one_that_ends_while_it_starts_is_told_however_much_it_was_to_know() -> None:
    known: Any = {"deadly": Deadly(), "large": bytes(2**20)}
    async with serving(honest) as url, workers(known) as crew:
        with pytest.raises(ProcessDied, match="a process that ran equation-solving on planted"):
            [each async for each in crew.run([_task(url, 1)], 1)]


async def test_who_stops_listening_hears_of_no_error(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(honest) as url, workers({"planted": Known(VICTIM, None)}) as crew:
        listening = asyncio.ensure_future(anext(crew.run([_task(url, 1)], 1)))
        await asyncio.sleep(0)
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening
    gc.collect()
    await asyncio.sleep(0)
    assert "never retrieved" not in caplog.text


def _silent(ended: asyncio.Event) -> Handler:
    async def handle(_: web.BaseRequest) -> web.StreamResponse:
        await ended.wait()
        return web.Response()

    return handle


def _trickling(ended: asyncio.Event) -> Handler:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        with suppress(ConnectionError):
            while not ended.is_set():
                await answer.write(b" ")
                await asyncio.sleep(0)
        return answer

    return handle


@pytest.mark.parametrize("handler", [_silent, _trickling])
async def test_a_trial_that_is_not_answered_is_broken_off_and_its_process_goes_on(
    handler: Callable[[asyncio.Event], Handler],
) -> None:
    ended = asyncio.Event()
    async with answering(handler(ended)) as stuck, serving(honest) as url:
        known = {"planted": Known(VICTIM, Judge((), np.zeros(0, np.int64)))}
        tasks = [replace(_task(stuck, 1), limit=0.5), replace(_task(url, 2), limit=60.0)]
        async with workers(known) as crew:
            found = [(task.planned.seed, outcome) async for task, outcome in crew.run(tasks, 1)]
            # There may be two: the pool learns later than we do that the first one is free.
            processes = list(crew.pool._processes.values())
            assert all(process.is_alive() for process in processes)
        ended.set()
    (_, first), (_, second) = found
    assert first.rows == ()
    assert first.failure == (
        "it was broken off after 0.5 s: what it attacks does not answer, or too slowly"
    )
    assert second.failure == ""
    assert second.rows


async def test_a_worker_that_is_killed_is_no_outcome() -> None:
    async with serving(honest) as url, workers({"planted": Known(VICTIM, None)}) as crew:
        future = crew.pool.submit(os.getpid)
        os.kill(future.result(), signal.SIGKILL)
        with pytest.raises(ProcessDied, match="a process that ran equation-solving on planted"):
            [each async for each in crew.run([_task(url, 1)], 1)]

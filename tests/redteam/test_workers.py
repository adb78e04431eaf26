"""The processes that run trials."""

import os
import signal

import pytest

from extproc.redteam.firing_range.process import ProcessDied
from extproc.redteam.plan import Planned
from extproc.redteam.worker import Known, Task
from extproc.redteam.workers import workers
from tests.redteam.planted_servers import VICTIM, honest, serving

pytestmark = pytest.mark.slow


def _task(url: str, seed: int, victim: str = "planted") -> Task:
    return Task(Planned("equation-solving", victim, "none", seed, (5,)), url, url, (), 4)


async def test_every_trial_has_one_outcome_and_one_that_raises_is_told() -> None:
    async with serving(honest) as url, workers({"planted": Known(VICTIM, None)}) as crew:
        tasks = [_task(url, 1, "moon"), _task(url, 2, "moon"), _task(url, 3, "moon")]
        found = [(task.planned.seed, outcome) async for task, outcome in crew.run(tasks, 2)]
    assert sorted(seed for seed, _ in found) == [1, 2, 3]
    assert all(outcome.failure.startswith("KeyError at worker.py:") for _, outcome in found)
    assert os.environ.get("OPENBLAS_NUM_THREADS") is None, "only the workers have one thread"


async def test_a_worker_that_is_killed_is_no_outcome() -> None:
    async with serving(honest) as url, workers({"planted": Known(VICTIM, None)}) as crew:
        future = crew.pool.submit(os.getpid)
        os.kill(future.result(), signal.SIGKILL)
        with pytest.raises(ProcessDied, match="a process that ran equation-solving on planted"):
            [each async for each in crew.run([_task(url, 1)], 1)]

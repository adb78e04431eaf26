"""Many tasks of many processes take from one budget: never more than there is, and none is lost.

Law 8 of the design.  What was taken by all is what the store says was spent, to the last one; when
it is used up nothing is held, nothing is under way, and what is left could not have been taken.
"""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from extproc.limits import Charge, Refused, Taken
from tests.stores.redis import rig
from tests.stores.redis.linear import BUDGET, CHARGES, DAILY, WAY
from tests.stores.redis.rig import Server

ROOT = Path(__file__).parents[3]
PROCESSES, REPLICAS = 4, 2


@pytest.mark.e2e
async def test_many_tasks_of_many_processes_never_overspend_by_one_and_strand_nothing() -> None:
    with rig.servers() as (server,):
        await _run(server, tasks=8, takes=20)


@pytest.mark.slow
async def test_ten_thousand_takes_and_more_never_overspend_by_one_and_strand_nothing() -> None:
    with rig.servers() as (server,):
        left = await _run(server, tasks=64, takes=20)
    assert left < CHARGES[0].amount


def _all(command: list[str]) -> int:
    """What so many processes have had together."""
    running = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    return sum(int(process.communicate()[0]) for process in running)


async def _run(server: Server, tasks: int, takes: int) -> int:
    """How much is left."""
    prefix = rig.prefix()
    arguments = [server.url, prefix, str(REPLICAS), str(tasks), str(takes)]
    command = [sys.executable, "-m", "tests.stores.redis.linear", *arguments]
    had = await asyncio.to_thread(_all, command)
    async with rig.store(rig.single(server), rig.shape(prefix=prefix)) as store:
        account = await store.read("acme", [DAILY, WAY], most=9)
        assert [each.spent for each in account.standings] == [had]
        assert had <= BUDGET
        left = BUDGET - had
        assert isinstance(await store.take([Charge(DAILY, "acme", "", left + 1)]), Refused)
        whole = await store.take([Charge(DAILY, "acme", "", left), Charge(WAY, "acme", "", 40)])
        assert isinstance(whole, Taken)
    return left

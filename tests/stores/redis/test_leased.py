"""Slices of a real Redis, by two replicas with tasks that take at the same time."""

import asyncio

from extproc.limits import Calendar, Charge, Counters, Periods, Taken
from extproc.stores.leased import Leased
from tests.stores.redis import rig
from tests.stores.redis.rig import Server

BUDGET = Calendar("ever/lifetime", max=3000, periods=Periods("lifetime"))
ONE = [Charge(BUDGET, "acme", "alice", 1, 1)]


async def spend(counters: Counters, times: int) -> int:
    """How many are let in."""
    let_in = 0
    for _ in range(times):
        taken = await counters.take(ONE)
        if isinstance(taken, Taken):
            let_in += 1
            await counters.settle(taken, [1])
    return let_in


async def test_two_replicas_spend_a_budget_to_its_end_and_not_one_more(server: Server) -> None:
    shape = rig.shape()
    async with (
        rig.store(rig.single(server), shape) as one,
        rig.store(rig.single(server), shape) as other,
    ):
        replicas = [Leased(one), Leased(other)]
        for each in replicas:
            await each.start()
        tasks = [spend(replica, 110) for replica in replicas for _ in range(16)]
        let_in = sum(await asyncio.gather(*tasks))
        for each in replicas:
            await each.close()
        assert let_in <= BUDGET.max
        assert let_in + await spend(one, BUDGET.max - let_in + 5) == BUDGET.max

"""Two replicas of a gateway, each its own Envoy and sidecar, and one budget."""

import asyncio
from collections.abc import Sequence
from functools import cache

import pytest

from extproc.redteam.attacks.budget_replicas import ATTACK, BATCH, GRANTED, REPLICAS
from extproc.redteam.client import Client
from extproc.redteam.firing_range.firing_range import SHARED, gateway, model_server
from extproc.redteam.firing_range.issue import Party
from extproc.redteam.firing_range.opened import opened
from extproc.redteam.ground import Ground
from extproc.redteam.plan import Planned, Wanted, keys, plan
from extproc.redteam.policy_choice import choices
from extproc.redteam.row import Row
from extproc.redteam.trial import Trial, run
from extproc.redteam.victims import digits
from tests.stores.redis.rig import come_async, servers

pytestmark = pytest.mark.e2e

ATTACKS = {ATTACK.name: ATTACK}
_CUSTOMER = Party("customer", "shared")
_BEFORE, _DYING, _AWAY = 4, 8, 20
"""Batches."""
_target = cache(digits.regression)


async def _rows(trial: Planned, ground: Ground) -> dict[str, Row]:
    place = ground.places[trial.policy]
    mine = keys(trial, ATTACK, place.issued)
    at = (trial.budgets, place.url, ground.bare, mine)
    tried = Trial(ATTACK, _target(), trial.policy, trial.seed, *at, replicas=place.replicas)
    return {row.measure: row for row in await run(tried, None)}


async def test_a_budget_is_granted_once_with_a_common_store_and_without_one_by_each() -> None:
    chosen = {choice.label: choice for choice in choices(["metered", "shared"])}
    wanted = Wanted((ATTACK.name,), (), tuple(chosen.values()), (1,))
    trials = plan(wanted, ATTACKS, ("digits",))
    async with opened(trials, ATTACKS, [_target()], chosen) as ground:
        found = {trial.policy: await _rows(trial, ground) for trial in trials}
    assert {policy: rows["replicas"].value for policy, rows in found.items()} == {
        "none": 1,
        "metered": REPLICAS,
        "shared": REPLICAS,
    }
    assert found["metered"]["budgets"].value == REPLICAS
    assert found["metered"]["over.on-refusal"].value == GRANTED
    assert found["shared"]["served_over_budget"].value == 0
    assert found["shared"]["budgets"].value == 1, "all that was granted can be had"


async def test_a_store_that_is_killed_in_between_and_forgets_grants_no_more() -> None:
    """Asked while it dies, as long as it is away, and when it is back and empty."""
    with servers() as (redis,):
        async with (
            model_server(("digits",)) as bare,
            gateway(SHARED, bare, 1, [_CUSTOMER], replicas=REPLICAS, redis=redis.url) as running,
            Client(running.urls[0], running.keys["customer"]) as one,
            Client(running.urls[1], running.keys["customer"]) as two,
        ):
            answered = sum([await _ask((one, two), at) for at in range(_BEFORE)])
            dying = [asyncio.create_task(_ask((one, two), at)) for at in range(_DYING)]
            await asyncio.wait(dying, return_when=asyncio.FIRST_COMPLETED)
            redis.kill()
            answered += sum(await asyncio.gather(*dying))
            assert answered > 0
            assert await _all((one, two), _AWAY) == 0
            redis.start()
            again: list[int] = []

            async def back() -> bool:
                again.append(await _ask((one, two), len(again)))
                return again[-1] > 0

            await come_async(back)
            again.append(await _all((one, two), REPLICAS * GRANTED // BATCH))
    assert answered + sum(again) <= GRANTED


async def _ask(clients: Sequence[Client], at: int) -> int:
    adapter, task = _target().adapter, _target().task
    inputs = task.take(range(BATCH), axis=0, mode="wrap")
    reply = await clients[at % len(clients)].send(adapter.request(inputs, 0))
    return int(adapter.read(reply, BATCH).served.sum())


async def _all(clients: Sequence[Client], count: int) -> int:
    return sum(await asyncio.gather(*(_ask(clients, at) for at in range(count))))

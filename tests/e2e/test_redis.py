"""Two sidecars behind two Envoys that count in one Redis: a caller has one budget, not two."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.e2e import bodies
from tests.e2e.budgets import ask, at_once, budgeted, chat, few, plans
from tests.e2e.gateway import LiveGateway
from tests.e2e.upstream import Upstream, answering
from tests.stores.redis import rig
from tests.stores.redis.rig import Server

POLICIES = {name: f"fidelity: standard, {few(20)}" for name in ("many", "flushed", "killed")}
Pair = tuple[LiveGateway, LiveGateway]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with rig.servers(1, "--appendonly", "yes", "--appendfsync", "always") as (server,):
        yield server


@pytest.fixture(scope="module")
def pair(
    scripted: Upstream, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    one, other = tmp_path_factory.mktemp("r"), tmp_path_factory.mktemp("r")
    for directory in (one, other):
        (directory / "redis").write_text(server.url)
    store = 'store: {kind: redis, url: "file:redis"}\n'
    change = plans(POLICIES, store)
    with (
        budgeted(scripted, one, change) as first,
        budgeted(scripted, other, change) as second,
    ):
        yield first, second


async def both(pair: Pair, tenant: str, times: int) -> Counter[int]:
    asked = [chat()] * times
    found = await asyncio.gather(
        *(asyncio.to_thread(at_once, each, tenant, asked) for each in pair)
    )
    return found[0] + found[1]


def uses_up(pair: Pair, tenant: str, most: int, said: Counter[int]) -> None:
    """No more is served than there was, and in the end as much: a machine that is busy with tests
    may have denied some, whose share is given back.
    """
    assert said[200] <= most
    for _ in range(said[200], most):
        rig.wait_for(lambda: ask(pair[0], tenant, chat()).status_code == 200)
    assert {ask(each, tenant, chat()).status_code for each in pair} == {429}


def test_parallel_requests_to_both_are_served_as_often_as_the_budget_has(
    pair: Pair, upstream: Upstream
) -> None:
    upstream.script = answering(bodies.chat_answer())
    uses_up(pair, "many", 20, asyncio.run(both(pair, "many", 40)))


def test_a_store_that_is_emptied_refills_nothing(
    pair: Pair, upstream: Upstream, server: Server
) -> None:
    upstream.script = answering(bodies.chat_answer())
    for number in range(15):
        assert ask(pair[number % 2], "flushed", chat()).status_code == 200
    with server.client() as client:
        client.flushall()
    rig.wait_for(lambda: ask(pair[0], "flushed", chat()).status_code == 200)
    uses_up(pair, "flushed", 4, asyncio.run(both(pair, "flushed", 10)))


def test_a_store_that_is_dead_denies_at_once_and_serves_again(
    pair: Pair, upstream: Upstream, server: Server
) -> None:
    upstream.script = answering(bodies.chat_answer())
    assert ask(pair[0], "killed", chat()).status_code == 200
    server.kill()
    ask(pair[0], "killed", chat())
    begun = time.monotonic()
    assert [ask(pair[0], "killed", chat()).status_code for _ in range(5)] == [503] * 5
    assert time.monotonic() - begun < 5
    server.start()
    rig.wait_for(lambda: ask(pair[1], "killed", chat()).status_code == 200)
    rig.wait_for(lambda: ask(pair[0], "killed", chat()).status_code == 200)
    uses_up(pair, "killed", 17, asyncio.run(both(pair, "killed", 20)))

import asyncio

import pytest

from extproc.errors import StoreUnavailable
from extproc.limits import (
    SECOND,
    Calendar,
    Charge,
    Concurrency,
    Periods,
    Rate,
    Refused,
    Sliding,
    Taken,
)
from extproc.stores.redis.accounts import RedisAccounts
from tests.stores.redis import rig
from tests.stores.redis.rig import Server

HOUR = 3600 * SECOND
RULES = (
    Calendar("daily/day", 10, Periods("day")),
    Sliding("sliding/1h", 10, HOUR),
    Rate("slow/1h", 10, HOUR),
)


def charges(amount: int) -> list[Charge]:
    return [Charge(rule, "acme", "alice", amount) for rule in RULES]


def forget(server: Server, store: RedisAccounts) -> None:
    with server.client() as client:
        client.delete(*store.named.keys("acme"))


async def takes(store: RedisAccounts, amount: int, **more: bool) -> bool:
    return isinstance(await store.take(charges(amount), **more), Taken)


async def test_what_was_seen_is_handed_in_and_the_larger_of_both_counts(server: Server) -> None:
    shape = rig.shape()
    async with (
        rig.store(rig.single(server), shape) as one,
        rig.store(rig.single(server), shape) as other,
    ):
        assert await takes(one, 2, final=True)
        assert await takes(other, 4, final=True)
        forget(server, one)
        assert not await takes(one, 9, final=True)
        assert await takes(one, 2, final=True)
        assert not await takes(other, 5, final=True)
        spent = (await one.read("acme", RULES, most=9)).standings
        assert [each.spent for each in spent] == [6, 6, 6]
        assert one.healing.losses == other.healing.losses == 1


async def test_until_all_have_handed_in_theirs_nothing_is_taken(server: Server) -> None:
    async with rig.store(rig.single(server), rig.shape(healing=0.3)) as store:
        assert await takes(store, 2)
        forget(server, store)
        for _ in range(3):
            with pytest.raises(StoreUnavailable, match="it has lost what it knew"):
                await takes(store, 1)
        await rig.passed(0.35)
        assert await takes(store, 1)
        assert store.healing.losses == 1


async def test_what_was_settled_is_what_is_handed_in(server: Server) -> None:
    async with rig.store(rig.single(server)) as store:
        outcome = await store.take(charges(10))
        assert isinstance(outcome, Taken)
        await store.settle(outcome, [1, 1, 1])
        forget(server, store)
        assert await takes(store, 9, final=True)
        assert not await takes(store, 1, final=True)


async def test_what_was_granted_is_what_is_handed_in(server: Server) -> None:
    async with rig.store(rig.single(server)) as store:
        assert await takes(store, 10)
        for rule in RULES:
            await store.grant("acme", rule, "alice", 3)
        forget(server, store)
        assert await takes(store, 3, final=True)
        assert not await takes(store, 1, final=True)


async def test_what_is_under_way_is_counted_anew(server: Server) -> None:
    way = Concurrency("way", 1)
    async with rig.store(rig.single(server)) as store:
        outcome = await store.take([Charge(way, "acme", "", 1), *charges(1)])
        assert isinstance(outcome, Taken)
        forget(server, store)
        again = await store.take([Charge(way, "acme", "", 1), *charges(1)])
        assert isinstance(again, Taken)
        await store.settle(outcome, [0, 1, 1, 1])
        assert isinstance(await store.take([Charge(way, "acme", "", 1)]), Refused)


async def test_a_heartbeat_finds_what_nobody_asks_for(server: Server) -> None:
    async with rig.store(rig.single(server)) as store:
        assert await takes(store, 7)
        forget(server, store)
        await rig.come(lambda: store.healing.restored == 3)
        spent = (await store.read("acme", RULES, most=9)).standings
        assert [each.spent for each in spent] == [7, 7, 7]


async def test_a_group_that_expired_was_not_lost(server: Server) -> None:
    now = 1_800_000_000 * SECOND
    async with rig.store(rig.single(server), None, lambda: now) as store:
        assert await takes(store, 7)
        forget(server, store)
        now += 48 * HOUR
        assert await takes(store, 10)
        assert store.healing.losses == 0


async def test_a_server_whose_run_is_another_is_not_trusted_at_once(server: Server) -> None:
    shape = rig.shape(healing=0.2)
    async with rig.store(rig.single(server), shape) as store:
        assert await takes(store, 7)
    async with rig.store(rig.single(server), shape) as store:
        store.servers.link("").run = b"0123"
        with pytest.raises(StoreUnavailable, match="it has lost what it knew"):
            await takes(store, 1)
        await rig.passed(0.25)
        assert await takes(store, 3)
        assert not await takes(store, 1)


async def test_a_beat_lets_a_store_that_is_away_be(server: Server) -> None:
    async with rig.store(rig.single(server)) as store:
        assert await takes(store, 1)
        store.servers.link("").drop()
        beat = asyncio.create_task(store._beaten("acme"))
        await beat
        assert beat.exception() is None

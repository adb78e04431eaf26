from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from extproc.errors import StoreUnavailable
from extproc.limits import SECOND
from extproc.stores.redis.replays import BUCKETS, RedisReplays
from tests.stores.redis import rig
from tests.stores.redis.rig import Server
from tests.stores.replays import AGE, NOW, ReplaysContract, once


def at(seconds: float) -> int:
    return round(seconds * SECOND)


class TestRedisReplays(ReplaysContract):
    """The contract of all stores."""

    @pytest.fixture(autouse=True)
    async def opened(self, server: Server) -> AsyncIterator[None]:
        async with rig.store(rig.single(server)) as self.store:
            yield

    def replays(self) -> RedisReplays:
        return RedisReplays(self.store.servers, rig.shape(), clock=lambda: at(NOW - 10 * AGE))


async def test_another_replica_knows_what_was_shown(server: Server) -> None:
    shape = rig.shape()
    async with rig.store(rig.single(server)) as one, rig.store(rig.single(server)) as other:
        replicas = [RedisReplays(each.servers, shape) for each in (one, other)]
        for replica in replicas:
            await replica.start()
        told = [await replica.first(once(made=3e9), now=3e9) for replica in replicas]
        assert told == [True, False]


async def test_it_knows_from_its_start_on_what_is_shown(server: Server) -> None:
    shape = rig.shape()
    async with rig.store(rig.single(server)) as store:
        now = at(NOW)
        replays = RedisReplays(store.servers, shape, clock=lambda: now)
        await replays.start()
        now = at(NOW + 1)
        for number in range(4 * BUCKETS):
            assert await replays.first(once(f"{number}", NOW + 0.5), now=NOW + 1)


@pytest.mark.e2e
async def test_a_store_that_forgets_does_not_say_that_it_is_the_first() -> None:
    with rig.servers() as (server,):
        async with rig.store(rig.single(server), rig.shape()) as store:
            replays = RedisReplays(store.servers, store.shape, clock=lambda: at(NOW))
            assert await replays.first(once("a", NOW), now=NOW)
            with server.client() as client:
                client.flushall()
            replays = RedisReplays(store.servers, store.shape, clock=lambda: at(NOW + 1))
            with pytest.raises(StoreUnavailable, match="when nobody kept that"):
                await replays.first(once("a", NOW), now=NOW + 1)


async def test_a_nonce_goes_when_nobody_can_show_it_any_more(server: Server) -> None:
    shape = rig.shape()
    async with rig.store(rig.single(server)) as store:
        replays = RedisReplays(store.servers, shape, clock=lambda: at(NOW))
        assert await replays.first(once(made=NOW), now=NOW)
    with server.client() as client:
        (key,) = client.keys(f"{shape.prefix}:*:*")
        assert AGE < client.ttl(key) <= 2 * AGE


async def test_where_there_is_no_store_nobody_is_the_first(tmp_path: Path) -> None:
    async with rig.store(rig.single(Server(tmp_path)), rig.shape()) as store:
        replays = RedisReplays(store.servers, store.shape)
        await replays.start()
        with pytest.raises(StoreUnavailable):
            await replays.first(once(), now=NOW)

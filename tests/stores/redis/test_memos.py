from collections.abc import AsyncIterator

import pytest

from extproc.errors import StoreUnavailable
from extproc.limits.memos import KEPT
from extproc.stores.redis.memos import RedisMemos
from tests.stores.memos import MemosContract, key
from tests.stores.redis import rig
from tests.stores.redis.rig import Server


class TestRedisMemos(MemosContract):
    @pytest.fixture(autouse=True)
    async def opened(self, server: Server) -> AsyncIterator[None]:
        async with rig.store(rig.single(server)) as self.store:
            yield

    def memos(self) -> RedisMemos:
        return RedisMemos(self.store.servers, rig.shape())


async def test_another_replica_recalls_what_was_told(server: Server) -> None:
    shape = rig.shape()
    async with rig.store(rig.single(server)) as one, rig.store(rig.single(server)) as other:
        await RedisMemos(one.servers, shape).keep({key("shared"): 3})
        assert await RedisMemos(other.servers, shape).recall([key("shared")]) == [3]


async def test_what_is_kept_names_nobody_and_has_an_end(server: Server) -> None:
    async with rig.store(rig.single(server)) as store:
        await RedisMemos(store.servers, rig.shape()).keep({key("kept"): 3})
    with server.client() as client:
        [name] = [each for each in client.scan_iter("*") if key("kept").hex().encode() in each]
        assert client.get(name) == b"3"
        assert 0 < client.pttl(name) <= KEPT * 1000


async def test_a_store_that_is_away_says_so(server: Server) -> None:
    async with rig.store(rig.single(server)) as store:
        memos = RedisMemos(store.servers, rig.shape())
        await memos.recall([key("a")])
        await store.close()
        with pytest.raises(StoreUnavailable):
            await memos.recall([key("a")])

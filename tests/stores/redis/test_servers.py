"""A Cluster of three masters, and a master that Sentinels name."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest

from extproc.errors import StoreUnavailable
from extproc.limits import Calendar, Charge, Periods, Refused, Taken
from extproc.stores.redis.accounts import RedisAccounts
from extproc.stores.redis.address import address
from extproc.stores.redis.link import Access, Link
from extproc.stores.redis.servers import Single
from tests.stores.contract import Clock, CountersContract, Store
from tests.stores.redis import rig
from tests.stores.redis.rig import SentinelServer, Server

pytestmark = pytest.mark.e2e

DAILY = Calendar("daily/day", max=10, periods=Periods("day"))
GROUPS = ("", "acme", "globex", "initech", "cohort:x")


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[Server]]:
    with rig.cluster() as nodes:
        yield nodes


class TestRedisClusterCounters(CountersContract):
    """The contract of all stores."""

    @pytest.fixture(autouse=True)
    async def opened(self, nodes: list[Server]) -> AsyncIterator[None]:
        self.nodes = nodes
        async with AsyncExitStack() as self.stack:
            yield

    async def counters(self, clock: Clock) -> Store:
        servers = rig.of_cluster(self.nodes[:1])
        return await self.stack.enter_async_context(
            rig.store(servers, rig.shape(lease=self.lease), clock)
        )


def charges(amount: int = 1) -> list[Charge]:
    return [Charge(DAILY, group, "alice", amount) for group in GROUPS]


async def test_groups_are_spread_over_the_nodes(nodes: list[Server]) -> None:
    async with rig.store(rig.of_cluster(nodes)) as store:
        taken = await store.take(charges())
        assert isinstance(taken, Taken)
        assert [level.left for level in taken.levels] == [9] * 5
        links = {store.servers.link(store.named.keys(group)[0]) for group in GROUPS}
        assert len(links) > 1


async def test_what_a_later_group_refuses_is_given_back_by_the_earlier(
    nodes: list[Server],
) -> None:
    async with rig.store(rig.of_cluster(nodes)) as store:
        assert isinstance(await store.take([charges(10)[-1]], final=True), Taken)
        refused = await store.take(charges())
        assert isinstance(refused, Refused)
        assert refused.waits[0].index == 4
        for charge in charges(10)[:-1]:
            await rig.come_async(partial(_fits, store, charge))


async def test_what_is_final_is_no_reservation_in_any_group(nodes: list[Server]) -> None:
    async with rig.store(rig.of_cluster(nodes), rig.shape(lease=1.0)) as store:
        assert isinstance(await store.take(charges(3), final=True), Taken)
        store._owed._debts.clear()  # as if it had died
        await rig.passed(1.1)
        for charge in charges(0):
            outcome = await store.take([charge], final=True)
            assert isinstance(outcome, Taken)
            assert outcome.levels[0].left == 7


async def test_what_was_taken_before_a_node_that_is_away_is_given_back(
    nodes: list[Server],
) -> None:
    async with rig.store(rig.of_cluster(nodes), rig.shape(wait=0.04)) as store:
        for charge in charges(0):
            await rig.come_async(partial(_taken_in_the_end, store, charge))
        link = store.servers.link(store.named.keys("acme")[0])
        there = [each for each in charges(4) if _link(store, each) is not link]
        assert there
        link.drop()
        with pytest.raises(StoreUnavailable):
            await store.take([*there, charges(4)[1]])
        for charge in charges(10):
            await rig.come_async(partial(_taken_in_the_end, store, charge))


def _link(store: RedisAccounts, charge: Charge) -> Link:
    return store.servers.link(store.named.keys(charge.group)[0])


async def test_a_cluster_that_is_not_there_yet_is_found_when_it_is(tmp_path: Path) -> None:
    late = Server(tmp_path, ("--cluster-enabled", "yes"))
    async with rig.store(rig.of_cluster([late])) as store:
        with pytest.raises(StoreUnavailable, match="no node is known to have the slot"):
            await store.take(charges())
        late.start()
        with late.client() as client:
            client.execute_command("CLUSTER ADDSLOTS", *range(16_384))
        try:
            await rig.come_async(partial(_taken_in_the_end, store, charges()[0]))
        finally:
            late.kill()


async def test_a_slot_that_nobody_has_is_not_waited_for(tmp_path: Path) -> None:
    late = Server(tmp_path, ("--cluster-enabled", "yes"))
    late.start()
    try:
        async with rig.store(rig.of_cluster([late])) as store:
            with pytest.raises(StoreUnavailable):
                await store.take(charges())
    finally:
        late.kill()


async def _fits(store: Store, charge: Charge) -> bool:
    return isinstance(await store.take([charge], final=True), Taken)


async def test_a_node_that_is_gone_denies_its_groups_and_no_others(nodes: list[Server]) -> None:
    async with rig.store(rig.of_cluster(nodes), rig.shape(wait=0.04)) as store:
        by_port: dict[bytes, list[str]] = {}
        for group in GROUPS:
            link = store.servers.link(store.named.keys(group)[0])
            by_port.setdefault(link.run, []).append(group)
        with nodes[0].client() as client:
            run = client.info("server")["run_id"].encode()
        nodes[0].freeze()
        try:
            for group in GROUPS:
                charge = Charge(DAILY, group, "bob", 1)
                if group in by_port.get(run, []):
                    with pytest.raises(StoreUnavailable):
                        await store.take([charge])
        finally:
            nodes[0].go_on()
        for group in GROUPS:
            charge = Charge(DAILY, group, "bob", 0)
            await rig.come_async(partial(_taken_in_the_end, store, charge))


async def _taken_in_the_end(store: Store, charge: Charge) -> bool:
    try:
        return isinstance(await store.take([charge], final=True), Taken)
    except StoreUnavailable:
        return False


async def test_a_slot_that_moves_is_followed_and_nothing_is_refilled(nodes: list[Server]) -> None:
    async with rig.store(rig.of_cluster(nodes), rig.shape(healing=0.1)) as store:
        charge = Charge(DAILY, "acme", "alice", 9)
        assert isinstance(await store.take([charge], final=True), Taken)
        _move(nodes, store.named.keys("acme")[0])
        nothing = Charge(DAILY, "acme", "alice", 0)
        await rig.come_async(lambda: _taken_in_the_end(store, nothing))
        assert isinstance(await store.take([charge], final=True), Refused)


def _move(nodes: list[Server], key: str) -> None:
    """The slot of a key, with what is in it, to the next node."""
    with nodes[0].client() as first, nodes[1].client() as second, nodes[2].client() as third:
        clients = [first, second, third]
        slot = first.execute_command("CLUSTER KEYSLOT", key)
        owner = next(each for each in clients if _has(each, slot))
        to = clients[(clients.index(owner) + 1) % 3]
        names = [each.execute_command("CLUSTER MYID").decode() for each in (owner, to)]
        to.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", names[0])
        owner.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", names[1])
        port = nodes[clients.index(to)].port
        while keys := owner.execute_command("CLUSTER GETKEYSINSLOT", slot, 100):
            owner.execute_command("MIGRATE", "127.0.0.1", port, "", 0, 5000, "KEYS", *keys)
        for each in clients:
            each.execute_command("CLUSTER SETSLOT", slot, "NODE", names[1])


def _has(client: object, slot: int) -> bool:
    mine = client.execute_command("CLUSTER MYID").decode()  # type: ignore[attr-defined]
    slots = client.execute_command("CLUSTER SLOTS")  # type: ignore[attr-defined]
    return any(mine in str(found) and slot in range(a, z + 1) for a, z, found in _slots(slots))


def _slots(slots: object) -> Iterator[tuple[int, int, str]]:
    if isinstance(slots, dict):
        for (a, z), found in slots.items():
            yield a, z, str(found)
    else:
        for a, z, node, *_ in slots:  # type: ignore[attr-defined]
            yield a, z, str(node)


async def test_a_master_that_sentinels_replace_is_found_and_nothing_is_refilled() -> None:
    with rig.servers(2) as (master, replica):
        with replica.client() as client:
            client.execute_command("REPLICAOF", "127.0.0.1", master.port)
            rig.wait_for(lambda: client.info("replication")["master_link_status"] == "up")
        sentinel = SentinelServer(master.folder, master)
        sentinel.start()
        try:
            await _fails_over(sentinel, master)
        finally:
            sentinel.kill()


async def _fails_over(sentinel: SentinelServer, master: Server) -> None:
    where = address(f"redis://127.0.0.1:1,127.0.0.1:{sentinel.port}")
    with sentinel.client() as client:
        rig.wait_for(lambda: len(client.execute_command("SENTINEL REPLICAS", "main")) == 1)
    servers = Single(Access(where, 0.04), "main")
    async with rig.store(servers, rig.shape(wait=0.04, healing=0.5)) as store:
        charge = Charge(DAILY, "acme", "alice", 9)
        await rig.come_async(lambda: _taken_in_the_end(store, charge))
        run = store.servers.link("").run
        master.kill()
        with pytest.raises(StoreUnavailable):
            await store.take([charge])
        nothing = Charge(DAILY, "acme", "alice", 0)
        await rig.come_async(lambda: _taken_in_the_end(store, nothing), within=30.0)
        assert store.servers.link("").run != run
        assert isinstance(await store.take([charge], final=True), Refused)


async def test_where_no_sentinel_answers_nobody_waits() -> None:
    servers = Single(Access(address("redis://127.0.0.1:1"), 0.04), "main")
    async with rig.store(servers) as store:
        assert store.servers.link("").fault == "no Sentinel names a master"
        with pytest.raises(StoreUnavailable, match="no Sentinel names a master"):
            await store.take(charges())

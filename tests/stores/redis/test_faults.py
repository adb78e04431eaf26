"""A store that is dead, frozen, slow, cut off, emptied, or no longer the one to write to.

Law: no call waits above 50 ms, none takes more than the limit though the store forgets, and all
goes on by itself when it is back.  A machine that runs tests is busy: what is asserted is the
median, and for each call the time that a loaded loop adds.
"""

import asyncio
from collections.abc import Iterator
from statistics import median

import pytest

from extproc.errors import StoreUnavailable
from extproc.limits import SECOND, Calendar, Charge, Periods, Rate, Refused, Taken
from extproc.stores.redis.accounts import RedisAccounts
from extproc.stores.redis.address import address
from extproc.stores.redis.link import Access
from extproc.stores.redis.servers import Single
from tests.stores.redis import rig
from tests.stores.redis.proxy import proxy
from tests.stores.redis.rig import Server

pytestmark = pytest.mark.e2e

WAIT = 0.04
BOUND = 0.05
"""Seconds that no request may wait above."""
BUSY = 0.2
"""Seconds that this machine may add to one of them."""
DAILY = Calendar("daily/day", max=1_000, periods=Periods("day"))
BURST = Rate("burst/1s", max=100_000, window=SECOND)


@pytest.fixture
def server() -> Iterator[Server]:
    with rig.servers(1) as (server,):
        yield server


def daily(amount: int = 1) -> Charge:
    return Charge(DAILY, "acme", "alice", amount)


async def outcomes(store: RedisAccounts, calls: int, at_once: int = 8) -> list[str]:
    """What became of so many takes; none of them waits too long."""
    loop = asyncio.get_running_loop()
    waits: list[float] = []

    async def one() -> str:
        begun = loop.time()
        try:
            outcome = await store.take([daily()], final=True)
        except StoreUnavailable:
            return "unknown"
        finally:
            waits.append(loop.time() - begun)
        return "taken" if isinstance(outcome, Taken) else "refused"

    said = []
    for _ in range(calls // at_once):
        said += await asyncio.gather(*(one() for _ in range(at_once)))
    assert median(waits) < BOUND
    assert max(waits) < BOUND + BUSY
    return said


async def recovers(store: RedisAccounts) -> None:
    """It serves again, by itself."""
    loop = asyncio.get_running_loop()
    end = loop.time() + 20
    while True:
        try:
            await store.take([Charge(BURST, "acme", "", 1)], final=True)
        except StoreUnavailable:
            assert loop.time() < end
            await rig.passed(0.02)
        else:
            return


def patient(server: Server) -> Single:
    return rig.single(server, WAIT)


async def test_a_store_that_is_killed_is_not_waited_for(server: Server) -> None:
    async with rig.store(patient(server), rig.shape(wait=WAIT)) as store:
        assert "taken" in await outcomes(store, 16)
        server.kill()
        assert set(await outcomes(store, 80)) == {"unknown"}
        server.start()
        await recovers(store)


async def test_a_store_that_begins_anew_and_empty_is_told_what_it_knew(server: Server) -> None:
    async with rig.store(patient(server), rig.shape(wait=WAIT, healing=0.5)) as store:
        await recovers(store)
        assert isinstance(await store.take([daily(990)], final=True), Taken)
        server.kill()
        server.start()
        await recovers(store)
        said = await outcomes(store, 40)
        assert said.count("taken") == 10
        assert store.healing.losses
        assert store.healing.restored


async def test_a_store_that_is_flushed_is_told_what_it_knew(server: Server) -> None:
    async with rig.store(patient(server), rig.shape(wait=WAIT, healing=0.5)) as store:
        await recovers(store)
        assert isinstance(await store.take([daily(990)], final=True), Taken)
        with server.client() as client:
            client.flushall()
        assert "unknown" in await outcomes(store, 8)
        await recovers(store)
        assert (await outcomes(store, 40)).count("taken") == 10


async def test_another_replica_does_not_refill_what_one_has_seen(server: Server) -> None:
    """It never saw the group: the one that did notices, by its heartbeat."""
    shape = rig.shape(wait=WAIT, healing=0.5)
    async with (
        rig.store(patient(server), shape) as knows,
        rig.store(patient(server), shape) as fresh,
    ):
        await recovers(knows)
        assert isinstance(await knows.take([daily(990)], final=True), Taken)
        with server.client() as client:
            client.flushall()
        await rig.come(lambda: knows.healing.losses > 0)
        await recovers(fresh)
        assert (await outcomes(fresh, 40)).count("taken") == 10


async def test_a_group_stays_frozen_though_the_store_forgets(server: Server) -> None:
    async with rig.store(patient(server), rig.shape(wait=WAIT, healing=0.1)) as store:
        await recovers(store)
        await store.freeze("acme", frozen=True)
        with server.client() as client:
            client.flushall()
        await rig.come(lambda: store.healing.losses > 0)
        await rig.passed(0.2)
        outcome = await store.take([daily()], final=True)
        assert outcome == Refused((), frozen=True)


async def test_a_frozen_process_is_given_up_and_does_nothing_late(server: Server) -> None:
    async with rig.store(patient(server), rig.shape(wait=WAIT)) as store:
        await recovers(store)
        before = await outcomes(store, 8)
        server.freeze()
        said = await outcomes(store, 80)
        assert set(said) == {"unknown"}
        await rig.come(lambda: not store.up)
        await rig.passed(0.5)
        server.go_on()
        await recovers(store)
        account = await store.read("acme", [DAILY], most=1)
        assert account.standings[0].spent == before.count("taken")


async def test_a_slow_line_is_not_waited_for(server: Server) -> None:
    async with proxy(server.port) as line:
        access = Access(address(f"redis://127.0.0.1:{line.port}"), WAIT)
        async with rig.store(Single(access), rig.shape(wait=WAIT)) as store:
            await recovers(store)
            line.late = 0.3
            assert set(await outcomes(store, 80)) == {"unknown"}
            line.late = 0.0
            await recovers(store)


async def test_a_line_that_is_cut_is_not_waited_for(server: Server) -> None:
    async with proxy(server.port) as line:
        access = Access(address(f"redis://127.0.0.1:{line.port}"), WAIT)
        async with rig.store(Single(access), rig.shape(wait=WAIT)) as store:
            await recovers(store)
            line.cut = True
            assert set(await outcomes(store, 80)) == {"unknown"}
            line.cut = False
            await recovers(store)


async def test_what_was_reserved_before_a_cut_is_settled_behind_it(server: Server) -> None:
    async with proxy(server.port) as line:
        access = Access(address(f"redis://127.0.0.1:{line.port}"), WAIT)
        async with rig.store(Single(access), rig.shape(wait=WAIT)) as store:
            await recovers(store)
            reservation = await store.take([daily(900)])
            assert isinstance(reservation, Taken)
            line.cut = True
            await store.settle(reservation, [5])
            with pytest.raises(StoreUnavailable):
                await store.take([daily(50)])
            line.cut = False
            await recovers(store)
            with server.client() as client:
                key = f"{store.shape.prefix}:{{acme}}"
                await rig.come(lambda: client.hget(key, b"cdaily/day\0alice").split()[-1] == b"5")
            assert store.lost == 0


async def test_a_busy_server_is_not_waited_for(server: Server) -> None:
    async with rig.store(patient(server), rig.shape(wait=WAIT)) as store:
        await recovers(store)
        with server.client() as client:
            sleeping = asyncio.create_task(
                asyncio.to_thread(client.execute_command, "DEBUG", "SLEEP", "1")
            )
            await rig.passed(0.1)
            assert set(await outcomes(store, 40)) == {"unknown"}
            assert not store.up
            await sleeping
        await recovers(store)


async def test_a_replica_that_nothing_can_be_written_to_is_not_asked(server: Server) -> None:
    async with rig.store(patient(server), rig.shape(wait=WAIT)) as store:
        await recovers(store)
        with rig.servers(1) as (other,), server.client() as client:
            client.execute_command("REPLICAOF", "127.0.0.1", other.port)
            assert set(await outcomes(store, 80)) == {"unknown"}
            assert not store.up
            client.execute_command("REPLICAOF", "NO", "ONE")
            await recovers(store)


async def test_scripts_that_the_server_has_forgotten_are_loaded_again(server: Server) -> None:
    async with rig.store(rig.single(server)) as store:
        with server.client() as client:
            client.script_flush()
        assert isinstance(await store.take([daily()], final=True), Taken)

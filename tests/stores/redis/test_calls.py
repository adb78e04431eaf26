import asyncio
import time
from collections.abc import Callable

import pytest
import uvloop

from extproc.errors import StoreUnavailable
from extproc.limits import SECOND, Calendar, Charge, Periods, Rate, Refused, Taken
from tests.stores.redis import rig
from tests.stores.redis.rig import Server

BURST = Rate("burst/1s", 5, SECOND)
DAILY = Calendar("daily/day", 5, Periods("day"))


async def test_five_limits_cost_one_round_trip(server: Server) -> None:
    rules = [Calendar(f"{number}/day", 10, Periods("day")) for number in range(4)]
    charges = [Charge(each, group, "alice", 1) for each in rules for group in ("", "acme")]
    async with rig.store(rig.single(server)) as store:
        before = store.round_trips
        assert isinstance(await store.take([*charges, Charge(BURST, "acme", "", 1)]), Taken)
        assert store.round_trips == before + 1


async def test_where_nothing_can_be_written_any_more_it_is_unavailable() -> None:
    with rig.servers() as (server,):
        async with rig.store(rig.single(server)) as store:
            with server.client() as client:
                client.config_set("maxmemory", 1)
            with pytest.raises(StoreUnavailable, match="it refuses: OOM"):
                await store.take([Charge(BURST, "acme", "", 1)])
            assert store.calls.failures == 1


async def test_a_server_that_refuses_its_scripts_is_unavailable(server: Server) -> None:
    async with rig.store(rig.single(server)) as store:
        with server.client() as client:
            client.set(store.named.keys("acme")[0], "no hash")
        with pytest.raises(StoreUnavailable, match="it refuses: "):
            await store.take([Charge(BURST, "acme", "", 1)])


async def test_no_more_is_under_way_than_may_be(server: Server) -> None:
    async with rig.store(rig.single(server), rig.shape(reservations=2)) as store:
        charge = Charge(BURST, "acme", "", 1)
        taken = [await store.take([charge]) for _ in range(2)]
        with pytest.raises(StoreUnavailable, match="all reservations are under way"):
            await store.take([charge])
        assert isinstance(await store.take([charge], final=True), Taken)
        assert isinstance(taken[0], Taken)
        await store.settle(taken[0], [1])
        assert isinstance(await store.take([charge]), Taken | Refused)


async def test_what_nobody_waits_for_any_more_is_given_back(server: Server) -> None:
    async with rig.store(rig.single(server), rig.shape(wait=0.1)) as store:
        taking = asyncio.create_task(store.take([Charge(DAILY, "acme", "", 5)]))
        await asyncio.sleep(0)
        taking.cancel()
        whole = Charge(DAILY, "acme", "", 5)
        await asyncio.wait({taking})
        end = asyncio.get_running_loop().time() + 5.0
        while asyncio.get_running_loop().time() < end:
            outcome = await store.take([whole], final=True)
            if isinstance(outcome, Taken):
                return
            await rig.passed(0.02)
        raise AssertionError("it is stranded")


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_loop_that_is_busy_is_no_fault_of_the_stores(
    server: Server, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(_busy(server))


async def _busy(server: Server) -> None:
    """It is so for longer than it would wait, and than the store may take."""
    wait = 0.3
    async with rig.store(rig.single(server, wait), rig.shape(wait=wait)) as store:

        async def take() -> object:
            taken = asyncio.create_task(store.take([Charge(BURST, "acme", "", 0)]))
            asyncio.get_running_loop().call_soon(_spin, 1.5 * wait)
            for _ in range(2):
                await asyncio.sleep(0)
            _spin(1.5 * wait)
            return await taken

        assert isinstance(await take(), Taken)


def _spin(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass

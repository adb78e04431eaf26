from extproc.limits import SECOND, Calendar, Charge, Periods, Rate, Sliding, Taken
from tests.stores.redis import rig
from tests.stores.redis.rig import Server

DAILY = Calendar("daily/day", 1_000, Periods("day"))
SLIDING = Sliding("sliding/1h", 1_000, 3600 * SECOND)
RATE = Rate("burst/1m", 1_000, 60 * SECOND)
WIDE = Calendar("wide/day", 1_000_000, Periods("day"))
PRINCIPALS = 5_000


async def test_of_many_counters_the_most_used_are_read(server: Server) -> None:
    async with rig.store(rig.single(server)) as store:
        for number in range(900):
            charge = Charge(DAILY, "acme", f"{number}", number % 700)
            await store.take([charge], final=True)
        account = await store.read("acme", [DAILY, RATE], most=2)
        assert [each.spent for each in account.standings] == [699, 698]
        assert account.more == 900 - 2 - 2


async def test_what_an_operator_does_is_seen_by_every_replica(server: Server) -> None:
    shape = rig.shape()
    async with (
        rig.store(rig.single(server), shape) as one,
        rig.store(rig.single(server), shape) as other,
    ):
        await one.take([Charge(DAILY, "acme", "", 900)], final=True)
        await other.grant("acme", DAILY, "", 500)
        assert (await one.read("acme", [DAILY], most=1)).standings[0].left == 600
        await one.freeze("acme", frozen=True)
        assert (await other.read("acme", [DAILY], most=1)).frozen


async def test_a_tracked_principal_takes_at_most_400_bytes(server: Server) -> None:
    for rule in (DAILY, RATE, SLIDING):
        shape = rig.shape(share=PRINCIPALS)
        async with rig.store(rig.single(server), shape) as store:
            for number in range(0, PRINCIPALS, 100):
                names = [f"key:{each:064x}" for each in range(number, number + 100)]
                charges = [Charge(rule, "acme", name, 7, 7) for name in names]
                assert isinstance(await store.take(charges), Taken)
        with server.client() as client:
            key = f"{shape.prefix}:{{acme}}"
            used = sum(client.memory_usage(each, samples=0) for each in (key, f"{key}:leases"))
        print(f"{rule.name}: {used / PRINCIPALS:.0f} bytes")
        assert used / PRINCIPALS <= 400


async def test_a_group_has_no_more_counters_than_its_share(server: Server) -> None:
    async with rig.store(rig.single(server), rig.shape(share=600)) as store:
        for number in range(0, 2_000, 50):
            charges = [Charge(WIDE, "acme", f"{number + each}", 1) for each in range(50)]
            assert isinstance(await store.take(charges, final=True), Taken)
        account = await store.read("acme", [WIDE], most=1)
        assert 600 <= account.more + 1 <= 700
        assert account.standings[0].subject == "\0"
        assert store.together > 1_300


async def test_counters_that_say_nothing_any_more_make_room(server: Server) -> None:
    now = 1_800_000_000 * SECOND
    async with rig.store(rig.single(server), rig.shape(share=600), lambda: now) as store:
        for number in range(2_000):
            now += 61 * SECOND // 100
            charge = Charge(RATE, "acme", f"{number}", 1_000)
            assert isinstance(await store.take([charge], final=True), Taken)
        assert store.together == 0


async def test_a_group_of_which_nothing_matters_any_more_goes(server: Server) -> None:
    shape = rig.shape(lease=10.0)
    async with rig.store(rig.single(server), shape) as store:
        await store.take([Charge(RATE, "acme", "", 1)])
    with server.client() as client:
        keys = client.keys(f"{shape.prefix}:*")
        assert len(keys) == 2
        assert all(0 < client.ttl(key) <= 3_700 for key in keys)

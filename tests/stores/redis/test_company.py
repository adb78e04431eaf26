"""A campaign over many keys whose queries go to two replicas, which share a store."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import numpy as np

from extproc.canonical import at_once
from extproc.cohorts.knowledge import Knowledge
from extproc.cohorts.linker import Linker
from extproc.cohorts.usual import CHECKPOINTS, usual
from extproc.detectors.evidence import ALARM
from extproc.server.detection.judge import Judge
from tests.server.detection.rig import NOW, asked, features, layout, records, settings, terms
from tests.stores.redis import rig
from tests.stores.redis.rig import Server
from tests.stores.redis.test_profiles import Replica

KEYS = 40
QUERIES = 4
GROUP = "network 00000000000000aa"
USUAL = usual(
    {
        name: [[each * 1.5e-3 for each in range(1000)]] * len(CHECKPOINTS)
        for name in ("coverage", "volume")
    }
)


class Watching:
    """A replica, and what it makes of what it knows."""

    def __init__(self, replica: Replica) -> None:
        known = Knowledge(layout(), np.ones(8) / 8, 7.0, {"user": USUAL})
        self.replica, self.linker = replica, Linker(known, b"k" * 32, 4096)
        found = terms()
        self.judge = Judge(
            settings(), layout(), replica.read, lambda *_: found, records(), self.linker
        )
        replica.trace, replica.traced = self.linker.trace, self.linker.hear
        self.judge.changed = replica.touch

    def ask(self, key: int, query: int) -> None:
        name = f"key:{key}"
        seen = asked(query, tenant=name, principal=name, network="00000000000000aa", time=NOW)
        learned = features(1000 * key + query, time=NOW)
        self.replica.add(name, name, learned)
        self.linker.observe(seen, name, learned.digests.tolist())
        self.judge.look(name, seen, NOW)

    def suspicions(self) -> dict[str, float]:
        at_once(self.linker.rebuild(lambda _: None))
        return {
            name: suspicion
            for name, suspicion in self.linker.judged.suspicions.items()
            if name.startswith(GROUP)
        }


@asynccontextmanager
async def watching(server: Server, count: int, prefix: str) -> AsyncIterator[Sequence[Watching]]:
    async with AsyncExitStack() as stack:
        found = [Watching(Replica(rig.single(server), prefix, 1000)) for _ in range(count)]
        for each in found:
            await each.replica.start()
            stack.push_async_callback(each.replica.close)
        yield found


async def met(found: Sequence[Watching]) -> None:
    for each in found:
        await each.replica.trip()


async def campaign(found: Sequence[Watching], turn: int) -> int:
    """Queries that were asked when each of them was sure, or all."""
    number = 0
    for query in range(QUERIES):
        for key in range(KEYS):
            found[(key * turn + query) % len(found)].ask(key, query)
            number += 1
        await met(found)
        await met(found)
        if all(min(each.suspicions().values(), default=0.0) >= ALARM for each in found):
            return number
    return QUERIES * KEYS + 1


async def test_two_replicas_find_a_campaign_as_soon_as_one_would(server: Server) -> None:
    needed = []
    for count, turn in ((1, 0), (2, 0), (2, 1)):  # each key's queries in turn; or each key's own
        async with watching(server, count, rig.prefix()) as found:
            needed.append(await campaign(found, turn))
    alone, in_turn, apart = needed
    assert alone < QUERIES * KEYS
    assert in_turn <= alone + KEYS
    assert apart <= alone + KEYS


async def test_two_replicas_come_to_the_same(server: Server) -> None:
    async with watching(server, 2, rig.prefix()) as found:
        await campaign(found, 1)
        one, other = (each.linker.groups.entries for each in found)
        assert dict(one) == dict(other)
        assert len(one) == KEYS
        [left], [right] = (each.suspicions().values() for each in found)
        assert left == right


async def test_a_replica_that_comes_back_has_the_groups_again(server: Server) -> None:
    prefix = rig.prefix()
    async with watching(server, 1, prefix) as found:
        await campaign(found, 0)
        [before] = found[0].suspicions().values()
    async with watching(server, 1, prefix) as found:
        assert found[0].suspicions() == {}
        await met(found)
        assert list(found[0].suspicions().values()) == [before]
        assert len(found[0].linker._later) == KEYS


async def test_what_nobody_can_have_left_is_refused_and_nothing_of_it_is_kept(
    server: Server,
) -> None:
    prefix = rig.prefix()
    async with watching(server, 2, prefix) as (one, other):
        one.ask(1, 1)
        await one.replica.trip()
        with server.client() as client:
            [key] = [each for each in client.keys(f"{prefix}*") if each.endswith(b"key:1")]
            [(field, octets)] = client.hgetall(key).items()
            client.hset(key, field, octets[:-1] + b"\x7f")
        await other.replica.trip()
        assert other.replica.refused == 1
        assert len(other.linker.groups.entries) == len(other.linker._later) == 0

"""The ledger of privacy in a store that replicas share: one promise, whoever answers and dies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from extproc.mutators import NoisyMax
from extproc.privacy import capacity
from extproc.stores.redis.counters import Shape
from extproc.stores.redis.memos import RedisMemos
from tests.privacy.ledger import CHECKED, TORN, Gateway, table, text
from tests.stores.redis import rig
from tests.stores.redis.rig import Server

EACH = NoisyMax(noise="gaussian", scale=40.0).cost().gdp
MOST = capacity(2.0, 1e-5) // EACH
COUNTER = "digits/lifetime:"


@asynccontextmanager
async def replica(
    server: Server, shape: Shape, folder: Path, policy: str
) -> AsyncIterator[Gateway]:
    async with rig.store(rig.single(server), shape) as store:
        yield Gateway(table(folder, policy), store, RedisMemos(store.servers, shape))


async def test_replicas_together_answer_no_more_than_there_is(
    server: Server, tmp_path: Path
) -> None:
    shape, policy = rig.shape(wait=5.0), text()
    async with (
        replica(server, shape, tmp_path, policy) as one,
        replica(server, shape, tmp_path, policy) as other,
    ):
        said = await asyncio.gather(
            one.together(*range(MOST)), other.together(*range(1000, 1000 + MOST))
        )
        answered = sum(each != 429 for half in said for each in half)
        assert answered == MOST
        assert await one.spent() == await other.spent() == {COUNTER: EACH * MOST}


async def test_what_one_replica_told_another_tells_again_for_nothing(
    server: Server, tmp_path: Path
) -> None:
    shape, policy = rig.shape(wait=5.0), text()
    async with (
        replica(server, shape, tmp_path, policy) as one,
        replica(server, shape, tmp_path, policy) as other,
    ):
        first = [await one.ask(number, votes=TORN) for number in range(20)]
        again = [await other.ask(number, votes=[0, 0, 250]) for number in range(20)]
        assert again == first
        assert any(each != [[0, 0, 1]] for each in first)
        assert await other.spent() == {COUNTER: EACH * 20}


async def test_what_a_replica_had_charged_that_died_stays_charged(
    server: Server, tmp_path: Path
) -> None:
    shape, policy = rig.shape(wait=5.0, lease=0.1), text(mechanism=CHECKED)
    worst = 2_500_000 + EACH  # 1 / 20**2, and 2 / 40**2
    async with replica(server, shape, tmp_path, policy) as dying:
        for number in range(5):
            await dying.ask(number, votes=TORN, settles=False)
    async with replica(server, shape, tmp_path, policy) as heir:

        async def lapsed() -> bool:
            """What is counted by then does not change when leases end."""
            await heir.ask("b", answer=503)
            return await heir.spent() == {COUNTER: 5 * worst}

        await rig.passed(0.2)
        assert await lapsed()


async def test_another_policy_counts_on_from_what_was_spent(server: Server, tmp_path: Path) -> None:
    shape = rig.shape(wait=5.0)
    coarser = text().replace("scale: 40}", "scale: 80}")
    larger = text().replace("epsilon: 2,", "epsilon: 3,")
    async with (
        replica(server, shape, tmp_path, text()) as before,
        replica(server, shape, tmp_path, coarser) as after,
        replica(server, shape, tmp_path, larger) as more,
    ):
        await before.ask(*range(100))
        await after.ask(*range(100))
        spent = EACH * 100 + EACH // 4 * 100
        assert await before.spent() == await after.spent() == {COUNTER: spent}
        await more.ask("new")
        assert await more.spent() == {COUNTER: spent + EACH}
        assert before.table.version != more.table.version

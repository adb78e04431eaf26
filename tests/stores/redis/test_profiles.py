import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from extproc.escalation import Case
from extproc.stores.contribution import NO_VERDICT, Verdict
from extproc.stores.profiles import Profile
from extproc.stores.redis import profiles as module
from extproc.stores.redis.address import address
from extproc.stores.redis.link import Access
from extproc.stores.redis.profiles import RedisProfiles
from extproc.stores.redis.servers import Single
from tests.server.detection.rig import DAY, NOW, features, layout, profiles
from tests.server.wire import Clock
from tests.stores.redis import rig
from tests.stores.redis.proxy import proxy
from tests.stores.redis.rig import Server
from tests.stores.redis.test_link import GUIDE


class Replica(RedisProfiles):
    """One that makes a round trip when it is told to."""

    def __init__(self, to: Any, prefix: str, capacity: int = 100) -> None:
        self.clock = Clock()
        self.clock.now = NOW
        super().__init__(profiles(capacity), layout(), DAY, to, prefix, wall=self.clock)

    async def start(self) -> None:
        await self._servers.start()

    async def close(self) -> None:
        await self._servers.close()

    def counters(self, subject: str = "a", now: float = NOW) -> list[float]:
        found = self.read(subject, now)
        return [] if found is None else [float(value) for value in found.counters]


@asynccontextmanager
async def replicas(server: Server, count: int = 2, **given: Any) -> AsyncIterator[list[Replica]]:
    prefix = given.pop("prefix", None) or rig.prefix()
    made = [Replica(rig.single(server), prefix, **given) for _ in range(count)]
    async with AsyncExitStack() as stack:
        for each in made:
            await each.start()
            stack.push_async_callback(each.close)
        yield made


async def met(*each: Replica, rounds: int = 2) -> None:
    for _ in range(rounds):
        for replica in each:
            await replica.trip()


async def test_two_replicas_know_what_one_would(server: Server) -> None:
    whole = profiles()
    async with replicas(server) as (one, other):
        for number in range(200):
            seen = features(number, time=NOW - 3 * DAY + number * 1000.0)
            whole.add("a", "a", seen)
            (one, other)[number % 2].add("a", "a", seen)
            if number % 20 == 0:
                await met(one, other, rounds=1)
        await met(one, other)
        expected = whole.read("a", NOW)
        assert isinstance(expected, Profile)
        for replica in (one, other):
            assert replica.counters() == pytest.approx(list(expected.counters), rel=1e-4)
            found = replica.read("a", NOW)
            assert found is not None
            assert (found.asked == expected.asked).all()
            assert (found.queries, found.first, found.last) == (200, expected.first, expected.last)


async def test_what_was_asked_of_another_replica_is_no_news(server: Server) -> None:
    async with replicas(server) as (one, other):
        one.add("a", "a", features(1, 2))
        await met(one, other)
        other.add("a", "a", features(2, 3))
        one.add("b", "b", features(5))
        await met(one, other)
        assert sum(one.counters()[:-1]) == sum(other.counters()[:-1]) == 3
        assert other.first("b") == NOW
        assert ("b" in other, "c" in other, other.first("c")) == (True, False, None)


async def test_what_is_written_again_counts_once(server: Server) -> None:
    async with replicas(server) as (one, other):
        one.add("a", "a", features(1))
        for _ in range(5):
            one.touch("a")
            await met(one, other)
        assert sum(other.counters()[:-1]) == 1


async def test_a_replica_makes_one_round_trip_for_all_that_changed(server: Server) -> None:
    async with replicas(server, capacity=600) as (one, other):
        for number in range(module.WRITTEN):
            one.add(f"{number}", "t", features(number))
        writes = one._servers.links()[0].writes
        await one.trip()
        assert one._servers.links()[0].writes == writes + 1
        await other.trip()
        assert len(other.others) == module.WRITTEN
        assert one.behind == 0


async def test_one_trip_is_bounded_and_the_next_goes_on(server: Server) -> None:
    count = 3 * module.WRITTEN + 5
    async with replicas(server, capacity=1000) as (one, other):
        for number in range(count):
            one.add(f"{number}", "t", features(number))
        await one.trip()
        assert one.behind == count - module.WRITTEN
        await met(one, other, rounds=4)
        assert len(other.others) == count


async def test_octets_of_one_trip_are_bounded(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ", 300)
    async with replicas(server) as (one, other):
        for number in range(20):
            one.add(f"{number}", "t", features(number))
        await one.trip()
        await other.trip()
        assert 0 < len(other.others) < 10
        await met(other, rounds=20)
        assert len(other.others) == 20


async def test_a_replica_that_begins_anew_adds_to_what_it_had_counted(server: Server) -> None:
    prefix = rig.prefix()
    async with replicas(server, 1, prefix=prefix) as (one,):
        one.add("a", "a", features(1))
        await one.trip()
    async with replicas(server, 1, prefix=prefix) as (again,):
        await again.trip()
        again.add("a", "a", features(1, 2))
        await met(again)
        assert sum(again.counters()[:-1]) == 2, "1 was asked before"
        assert again.began == pytest.approx(again.clock(), rel=1)


async def test_a_profile_that_is_forgotten_here_stays_there(server: Server) -> None:
    async with replicas(server) as (one, other):
        one.add("a", "a", features(1))
        await met(one, other)
        one.own.forget("a")
        one.add("a", "a", features(2))
        await met(one, other, rounds=3)
        assert sum(other.counters()[:-1]) == 2
        assert sum(one.counters()[:-1]) == 2
        one.add("gone", "a", features(1))
        one.own.forget("gone")
        await one.trip()
        assert "gone" not in other


async def test_a_store_that_was_emptied_is_told_all_anew(server: Server) -> None:
    async with replicas(server) as (one, other):
        one.add("a", "a", features(1))
        other.add("a", "a", features(2))
        other.add("b", "b", features(3))
        for _ in range(20):
            one.touch("a")
            await met(one, rounds=1)
        await met(one, other)
        with server.client() as client:
            for key in client.keys("*"):
                client.delete(key)
        await met(one, other, rounds=4)
        other.add("c", "c", features(4))
        await met(one, other, rounds=2)
        assert sum(one.counters("c")[:-1]) == 1, "changes are counted from the beginning again"
        assert (one.losses, other.losses) == (1, 1)
        assert sum(one.counters()[:-1]) == sum(other.counters()[:-1]) == 2
        async with replicas(server, 1, prefix=one._keys.keys[0].partition(":")[0]) as (new,):
            await new.trip()
            assert sum(new.counters()[:-1]) == 2
            assert sum(new.counters("b")[:-1]) == 1


@pytest.mark.e2e
async def test_while_there_is_no_store_it_goes_on_and_catches_up() -> None:
    with rig.servers() as (server,):
        async with replicas(server) as (one, other):
            one.add("a", "a", features(1))
            await met(one, other)
            server.kill()
            one.add("a", "a", features(2))
            await met(one, other, rounds=1)
            assert sum(one.counters()[:-1]) == 2
            assert (one.behind, one.failures > 0) == (1, True)
            server.start()
            await rig.come(lambda: one.up and other.up)
            await met(one, other, rounds=3)
            assert sum(other.counters()[:-1]) == 2
            assert one.behind == 0


@pytest.mark.e2e
async def test_what_a_frozen_store_was_told_counts_once_when_it_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_WAIT", 0.05)
    with rig.servers() as (server,):
        async with replicas(server) as (one, other):
            one.add("a", "a", features(1))
            await met(one, other)
            server.freeze()
            for number in (2, 3, 4):
                one.add("a", "a", features(number))
                await one.trip()
                assert sum(one.counters()[:-1]) == number
            assert (one.failures, one.behind) == (3, 1)
            server.go_on()
            await rig.come(lambda: one.up and other.up)
            while one.behind or sum(other.counters()[:-1]) < 4:
                await met(one, other)
            await met(one, other)
            for each in (one, other):
                assert sum(each.counters()[:-1]) == 4
                found = each.read("a", NOW)
                assert found is not None
                assert found.queries == 4
            assert one.losses == other.losses == 0


async def test_where_the_store_does_not_answer_nothing_is_lost(server: Server) -> None:
    async with proxy(server.port) as line:
        away = Server(Path())
        away.port = line.port
        prefix = rig.prefix()
        async with (
            replicas(away, 1, prefix=prefix) as (one,),
            replicas(server, 1, prefix=prefix) as (other,),
        ):
            await one.trip()
            line.cut = True
            one.add("a", "a", features(1))
            await one.trip()
            assert (one.failures, one.behind) == (1, 1)
            line.cut = False
            await one.trip()
            await other.trip()
            assert sum(other.counters()[:-1]) == 1


@pytest.mark.parametrize("octets", [b"", b"x" * 60, b"\x00" * 5000, b"\xff" * 47])
async def test_what_nobody_counted_is_ignored_and_counted(server: Server, octets: bytes) -> None:
    async with replicas(server) as (one, other):
        one.add("a", "a", features(1))
        await one.trip()
        key = f"{one._keys.keys[0]}a"
        with server.client() as client:
            client.hset(key, "evil.1", octets)
            client.hset(key, b"\xff\xfe", octets)
        one.touch("a")
        await met(one, other)
        assert other.refused >= 2
        assert sum(other.counters()[:-1]) == sum(one.counters()[:-1]) == 1


async def test_cases_travel_with_what_was_counted(server: Server) -> None:
    heard: list[tuple[str, Verdict]] = []
    said = Verdict("a", "", "POST /x", Case(override="trusted"), NOW)
    async with replicas(server) as (one, other):
        one.verdict = lambda subject: said if subject == "a" else NO_VERDICT
        other.told = lambda subject, verdict: heard.append((subject, verdict))
        one.touch("a")
        one.add("b", "b", features(1))
        await met(one, other, rounds=1)
        assert heard == [("a", said)]


async def test_what_those_counted_that_are_gone_becomes_one(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FOLDED", 4)
    async with replicas(server, 7) as made:
        for number, each in enumerate(made):
            each.add("a", "a", features(number))
            await each.trip()
        living, another = made[:2]
        with server.client() as client:
            for each in made[2:]:
                client.zadd(each._keys.keys[2], {each._replica: 1.0})
            await met(living, another)
            await rig.passed(0)
            living.add("a", "a", features(50))
            await met(living, another, rounds=3)
            fields = client.hkeys(f"{living._keys.keys[0]}a")
        assert len(fields) == 3
        assert b"+" in fields
        assert sum(living.counters()[:-1]) == sum(another.counters()[:-1]) == 8
        assert living.folds + another.folds > 0


async def test_who_was_taken_for_gone_counts_nothing_twice(server: Server) -> None:
    async with replicas(server) as (one, other):
        one.add("a", "a", features(1, 2))
        await met(one, other)
        with server.client() as client:
            client.zadd(one._keys.keys[2], {one._replica: 1.0})
        before = one._replica
        await one.trip()
        assert one._replica != before
        await met(one, other)
        assert sum(one.counters()[:-1]) == sum(other.counters()[:-1]) == 2
        one.add("a", "a", features(3))
        await met(one, other)
        assert sum(one.counters()[:-1]) == sum(other.counters()[:-1]) == 3


async def test_a_subject_has_so_many_fields_at_most(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT", 5)
    async with replicas(server, 1) as (one,):
        with server.client() as client:
            key = f"{one._keys.keys[0]}a"
            for number in range(50):
                client.hset(key, f"made-up{number}.1", b"x")
            one.add("a", "a", features(1))
            await one.trip()
            assert client.hlen(key) == 5
            assert client.hexists(key, one._field("a"))


async def test_what_nobody_writes_any_more_goes(server: Server) -> None:
    async with replicas(server, 1) as (one,):
        one.add("a", "a", features(1))
        await one.trip()
        with server.client() as client:
            keys = client.keys(f"{one._keys.keys[0][:-1]}*")
            assert len(keys) == 4
            assert all(0 < client.ttl(key) <= 10 * DAY + 1 for key in keys)
            client.delete(f"{one._keys.keys[0]}a")
            one._change = b"0"
            await one.trip()
            assert client.zcard(one._keys.keys[0]) == 0


async def test_it_makes_a_trip_a_second_by_itself_and_one_at_the_end(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EVERY", 0.01)
    prefix = rig.prefix()
    own = profiles()
    shared = RedisProfiles(own, layout(), DAY, rig.single(server), prefix, wall=lambda: NOW)
    await shared.start()
    await rig.come(lambda: shared.trips > 3)
    shared.add("a", "a", features(1))
    await rig.come(lambda: not shared.behind)
    shared.add("a", "a", features(2))
    await shared.close()
    async with replicas(server, 1, prefix=prefix) as (other,):
        await other.trip()
        assert sum(other.counters()[:-1]) == 2
    assert shared.forgotten == 0
    assert len(shared) == 1


async def test_where_there_has_never_been_a_store_nothing_hangs(tmp_path: Path) -> None:
    shared = RedisProfiles(
        profiles(), layout(), DAY, rig.single(Server(tmp_path)), rig.prefix(), wall=lambda: NOW
    )
    await shared.start()
    shared.add("a", "a", features(1))
    await asyncio.wait_for(shared.close(), 5)
    assert (shared.began, shared.up, shared.failures > 0) == (None, False, True)


async def test_a_user_with_the_rights_of_the_guide_can_share_profiles(server: Server) -> None:
    line = re.search(r"^ACL SETUSER (.*)$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert line is not None
    words = line[1].replace("extproc on", "sharer on").split()
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", *words)
    to = Single(Access(address(f"redis://sharer:PASSWORD@127.0.0.1:{server.port}"), rig.PATIENT))
    one = Replica(to, "extproc")
    await one.start()
    try:
        one.add("a", "a", features(1))
        one.allowances.take("partner", 3, "a", NOW)
        await met(one)
        assert (one.failures, one.behind, one.trips) == (0, 0, 2)
    finally:
        await one.close()


@pytest.mark.e2e
async def test_a_cluster_has_all_of_it_in_one_slot() -> None:
    with rig.cluster() as nodes:
        prefix = rig.prefix()
        one, other = (Replica(rig.of_cluster(nodes), prefix) for _ in range(2))
        for each in (one, other):
            await each.start()
        try:
            one.add("a", "a", features(1))
            one.add("b", "b", features(2))
            await met(one, other)
            assert sum(other.counters()[:-1]) == sum(other.counters("b")[:-1]) == 1
            assert one.failures == other.failures == 0
        finally:
            for each in (one, other):
                await each.close()

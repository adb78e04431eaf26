"""How many callers all replicas together put on a step, over a real Redis."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from extproc.errors import StoreUnavailable
from extproc.server.detection.judge import Judge
from extproc.stores.redis import profiles
from extproc.stores.redis.allowances import ASKED, TOLD, SharedAllowances
from tests.server.detection.rig import (
    NOW,
    asked,
    features,
    ladder,
    layout,
    records,
    settings,
    terms,
)
from tests.stores.redis import rig
from tests.stores.redis.proxy import proxy
from tests.stores.redis.rig import Server
from tests.stores.redis.test_profiles import Replica, met, replicas

POISONED = 40
"""Callers of each replica of whom much evidence is found."""


def want(replica: Replica, *subjects: str, policy: str = "partner", hourly: int = 3) -> list[str]:
    """Who may be put on a step at once; who may later is added to that."""
    allowed: list[str] = []
    allowances = replica.allowances

    def put(subject: str) -> None:
        if allowances.take(policy, hourly, subject, NOW):
            allowed.append(subject)

    allowances.put = put
    for each in subjects:
        put(each)
    return allowed


def poisoned(replica: Replica, prefix: str, hourly: int) -> Judge:
    """Looks at callers of whom a detector that has gone wrong finds far too much."""
    steps = ladder((0.5, 60.0, "deny"), hourly=hourly, policy="partner")
    find = lambda *_: terms(ladder=steps)  # noqa: E731
    judge = Judge(settings(), layout(), replica.read, find, records())
    judge.allowances = replica.allowances
    replica.allowances.put = lambda subject: judge.again(subject, NOW)
    for number in range(POISONED):
        subject = f"{prefix}{number}"
        replica.add(subject, "t", features(*range(50)))
        judge.look(subject, asked(1, tenant=subject), NOW)
    return judge


async def test_two_replicas_together_put_no_more_on_a_step_than_may_be(server: Server) -> None:
    async with replicas(server) as made:
        judges = [poisoned(each, name, 7) for each, name in zip(made, "ab", strict=True)]
        assert [judge.cases.standing() for judge in judges] == [0, 0], "they wait for the store"
        await met(*made)
        assert sum(judge.cases.standing() for judge in judges) == 7
        assert judges[0].allowances.held_back == POISONED - 7
        for judge, name in zip(judges, "ab", strict=True):
            for number in range(POISONED):
                judge.again(f"{name}{number}", NOW + 1)
        await met(*made)
        assert sum(judge.cases.standing() for judge in judges) == 7


def test_of_whom_a_store_that_stays_away_is_to_be_told_is_bounded() -> None:
    allowances = SharedAllowances()
    allowances.away = True
    for number in range(TOLD + 9):
        assert allowances.take("partner", 10**6, f"s{number}", NOW)
    assert len(allowances._asked) == TOLD


async def test_each_policy_has_its_own_bound_and_one_without_has_none(server: Server) -> None:
    async with replicas(server) as (one, other):
        first = want(one, "a", "b", hourly=1)
        second = want(other, "c", policy="other", hourly=1)
        assert want(other, *"xyz", policy="free", hourly=0) == ["x", "y", "z"]
        want(other, "c", policy="other", hourly=1)
        await met(one, other)
        assert (first, second) == (["a"], [])
        assert want(other, "c", policy="other", hourly=1) == []


async def test_whoever_two_replicas_put_on_a_step_is_one(server: Server) -> None:
    async with replicas(server) as (one, other):
        found = [want(each, "a", "b", hourly=2) for each in (one, other)]
        await met(one, other)
        assert found == [["a", "b"], ["a", "b"]]


async def test_a_restart_forgets_nobody(server: Server) -> None:
    prefix = rig.prefix()
    async with replicas(server, 1, prefix=prefix) as (one,):
        before = want(one, *"abc")
        await one.trip()
    async with replicas(server, 1, prefix=prefix) as (again,):
        after = want(again, *"def")
        await again.trip()
        assert (before, after) == (["a", "b", "c"], [])


async def test_whoever_was_put_there_an_hour_ago_counts_no_more(server: Server) -> None:
    async with replicas(server) as (one, other):
        want(one, *"abc")
        await one.trip()
        with server.client() as client:
            key = f"{one._keys.keys[3]}partner"
            assert 0 < client.pttl(key) <= 3_600_000
            for number, member in enumerate("ab"):
                client.zincrby(key, number - 3600_000_000, member)
        later = want(other, *"def")
        await other.trip()
        assert later in (["d"], ["d", "e"])


async def test_a_step_taken_again_counts_from_then_on(server: Server) -> None:
    async with replicas(server) as (one, other):
        want(one, "a", hourly=1)
        await one.trip()
        with server.client() as client:
            key = f"{one._keys.keys[3]}partner"
            client.zincrby(key, -3_000_000_000, "a")
            want(one, "a", hourly=1)
            await one.trip()
            client.zincrby(key, -3_000_000_000, "a")
        later = want(other, "b", hourly=1)
        await other.trip()
        assert later == []


async def test_without_a_store_each_has_its_part_which_is_told_afterwards(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profiles, "_WAIT", 0.1)
    async with proxy(server.port) as line:
        away = Server(Path())
        away.port = line.port
        async with replicas(away) as (one, other):
            await met(one, other)
            line.cut = True
            await met(one, other, rounds=1)
            found = [want(one, *"abcd", hourly=5), want(other, *"efgh", hourly=5)]
            assert found == [["a", "b"], ["e", "f"]]
            assert one.allowances.held_back == 2
            line.cut = False
            while one.allowances.away or other.allowances.away:
                await met(one, other, rounds=1)
            again = [want(one, *"cd", hourly=5), want(other, *"gh", hourly=5)]
            await met(one, other)
            assert again == [["c"], []], "four of five were put there meanwhile"


async def test_an_answer_that_does_not_come_counts_nobody_twice(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with replicas(server) as (one, other):
        found = want(one, *"ab", hourly=2)
        whole = one._calls.run

        async def unheard(*words: Any) -> object:
            await whole(*words)
            raise StoreUnavailable("planted")

        monkeypatch.setattr(one._calls, "run", unheard)
        await one.trip()
        monkeypatch.undo()
        assert found == []
        await one.trip()
        assert found == ["a", "b"]
        assert want(other, "c", hourly=2) == []
        await other.trip()
        assert other.allowances.held_back == 1


async def test_where_the_store_has_forgotten_each_replica_keeps_the_bound(server: Server) -> None:
    async with replicas(server) as (one, other):
        before = want(one, "a", "b")
        await one.trip()
        with server.client() as client:
            client.delete(*client.keys(f"{one._keys.keys[0][:-1]}*"))
        after, elsewhere = want(one, *"cde"), want(other, *"fgh")
        await met(other, one, rounds=1)
        assert (before, after, elsewhere) == (["a", "b"], [], ["f", "g", "h"])
        with server.client() as client:
            client.delete(*client.keys(f"{one._keys.keys[0][:-1]}*"))
        after = want(one, *"cde")
        await met(one, rounds=1)
        assert after == ["c"]


async def test_so_many_are_asked_for_at_most(server: Server) -> None:
    async with replicas(server, 1) as (one,):
        names: Sequence[str] = [f"{number}" for number in range(2 * ASKED)]
        found = want(one, *names, hourly=10_000)
        await one.trip()
        assert len(found) == ASKED

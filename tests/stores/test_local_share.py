from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.errors import StoreUnavailable
from extproc.limits import (
    SECOND,
    Calendar,
    Charge,
    Concurrency,
    Periods,
    Rate,
    Refused,
    Rule,
    Sliding,
    Taken,
)
from extproc.stores import local_share
from extproc.stores.local_share import LocalShare, scaled
from extproc.stores.memory import MemoryCounters
from tests.stores.contract import Clock
from tests.stores.redis import rig

DAILY = Calendar("daily/day", 100, Periods("day"))
WAY = Concurrency("way", 4)


class Remote:
    """A store that can be away."""

    def __init__(self, clock: Clock) -> None:
        self.store = MemoryCounters(clock=clock)
        self.away = False

    async def take(self, charges: Sequence[Charge], *, final: bool = False) -> Taken | Refused:
        if self.away:
            raise StoreUnavailable("no answer in time")
        return await self.store.take(charges, final=final)

    async def settle(self, taken: Taken, amounts: Sequence[int]) -> None:
        await self.store.settle(taken, amounts)

    async def spent(self, rule: Rule[Any] = DAILY) -> int:
        standings = (await self.store.read("acme", [rule], most=1)).standings
        return standings[0].spent if standings else 0


class Both:
    def __init__(self, share: float = 0.1) -> None:
        clock = Clock()
        self.remote = Remote(clock)
        self.frozen: set[str] = set()
        self.here = LocalShare(
            self.remote, MemoryCounters(clock=clock), share, self.frozen.__contains__
        )


def daily(amount: int = 1, subject: str = "alice", group: str = "acme") -> Charge:
    return Charge(DAILY, group, subject, amount)


async def test_while_the_store_is_there_it_counts() -> None:
    both = Both()
    taken = await both.here.take([daily(50)])
    assert isinstance(taken, Taken)
    await both.here.settle(taken, [20])
    assert await both.remote.spent() == 20
    assert both.here.takes == len(both.here) == 0


async def test_while_it_is_away_no_more_than_the_share_is_let_in() -> None:
    both = Both()
    both.remote.away = True
    outcomes = [await both.here.take([daily()], final=True) for _ in range(12)]
    assert [type(each) for each in outcomes] == [Taken] * 10 + [Refused] * 2
    assert both.here.takes == 12


async def test_an_outage_after_another_has_no_share_of_its_own() -> None:
    both = Both()
    await both.here.start()
    for _ in range(3):
        both.remote.away = True
        await both.here.take([daily(5)], final=True)
        both.remote.away = False
        await rig.come(lambda: not len(both.here))
    assert await both.remote.spent() == 10
    await both.here.close()


async def test_what_was_spent_is_charged_once_when_the_store_is_back() -> None:
    both = Both()
    await both.here.start()
    both.remote.away = True
    taken = await both.here.take([daily(8), Charge(WAY, "acme", "", 1)])
    assert isinstance(taken, Taken)
    assert isinstance(await both.here.take([daily(2)], final=True), Taken)
    for _ in range(2):
        await both.here.settle(taken, [3, 0])
    both.remote.away = False
    await rig.come(lambda: not len(both.here))
    assert await both.remote.spent() == 5
    assert await both.remote.spent(WAY) == 0
    await both.here.close()


async def test_it_is_charged_whatever_the_levels_are_there() -> None:
    both = Both()
    await both.remote.take([daily(100)], final=True)
    both.remote.away = True
    await both.here.take([daily(10)], final=True)
    both.remote.away = False
    await both.here._pay()
    assert await both.remote.spent() == 110


async def test_what_is_spent_while_it_is_charged_is_charged_too() -> None:
    both = Both()
    both.remote.away = True
    await both.here.take([daily(3)], final=True)

    class Slow(Remote):
        async def take(self, charges: Sequence[Charge], *, final: bool = False) -> Taken | Refused:
            outcome = await both.remote.store.take(charges, final=final)
            both.here._owe([daily()], [4])
            return outcome

        async def settle(self, taken: Taken, amounts: Sequence[int]) -> None:
            await both.remote.store.settle(taken, amounts)

    both.here._counters = Slow(Clock())
    await both.here._pay()
    both.here._counters = both.remote
    both.remote.away = False
    await both.here._pay()
    assert await both.remote.spent() == 7


@pytest.mark.parametrize(("away", "spent"), [(False, 2), (True, 0)])
async def test_a_process_that_ends_charges_what_it_can(away: bool, spent: int) -> None:
    both = Both()
    both.remote.away = True
    await both.here.take([daily(2)], final=True)
    both.remote.away = away
    await both.here.close()
    both.remote.away = False
    assert await both.remote.spent() == spent


async def test_a_group_that_was_frozen_stays_so() -> None:
    both = Both()
    both.remote.away = True
    both.frozen.add("acme")
    assert await both.here.take([daily()]) == Refused((), frozen=True)
    assert isinstance(await both.here.take([daily(group="globex")]), Taken)


async def test_debts_of_a_frozen_group_wait_behind_those_of_others() -> None:
    both = Both()
    both.remote.away = True
    for group in ("acme", "globex"):
        await both.here.take([daily(2, group=group)], final=True)
    both.remote.away = False
    await both.remote.store.freeze("acme", frozen=True)
    await both.here.start()
    await rig.come(lambda: len(both.here) == 1)
    assert (await both.remote.store.read("globex", [DAILY], most=1)).standings[0].spent == 2
    await both.remote.store.freeze("acme", frozen=False)
    await rig.come(lambda: not len(both.here))
    assert await both.remote.spent() == 2
    await both.here.close()


async def test_no_more_counters_wait_than_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_share, "_MOST", 2)
    both = Both()
    both.remote.away = True
    for subject in ("a", "b", "c", "a"):
        await both.here.take([daily(1, subject)], final=True)
    assert (len(both.here), both.here.lost) == (2, 1)


async def test_what_cost_nothing_is_not_owed() -> None:
    both = Both()
    both.remote.away = True
    await both.here.take([daily(0)], final=True)
    assert len(both.here) == 0


@given(st.integers(1, 10**6), st.floats(0.001, 1.0))
def test_a_share_is_never_nothing_and_never_more(maximum: int, share: float) -> None:
    for rule in (
        Rate("r", maximum, SECOND),
        Calendar("c", maximum, Periods("day")),
        Sliding("s", maximum, SECOND),
        Concurrency("n", maximum),
    ):
        part = scaled(rule, share)
        assert 1 <= part.max <= max(1, share * maximum)
        assert (type(part), part.name) == (type(rule), rule.name)

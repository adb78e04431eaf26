"""What exchanges take of the store, and that it is settled however the store fares."""

import asyncio
from collections.abc import Sequence

import pytest

from extproc.credentials import Once
from extproc.errors import StoreUnavailable
from extproc.exhaustion import Reserving
from extproc.limits import SECOND, Charge, Refused, Sliding, Taken, presence
from extproc.server import reserver as module
from extproc.server.reserver import Reserver
from extproc.server.telemetry import Telemetry
from extproc.stores.memory import MemoryCounters
from extproc.stores.memory_memos import MemoryMemos
from extproc.stores.memory_replays import MemoryReplays

NOW = 1_800_000_000.0
DAILY = Sliding("daily/1d", 10, 86_400 * SECOND)


def charge(amount: int, kept: int = 0) -> Charge:
    return Charge(DAILY, "acme", "", amount, kept)


class Flaky(MemoryCounters):
    """Settles after so many failures."""

    failures = 0

    async def settle(self, taken: Taken, amounts: Sequence[int]) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("away")
        await super().settle(taken, amounts)


class Gone(MemoryCounters):
    async def take(self, charges: Sequence[Charge], *, final: bool = False) -> Taken | Refused:
        raise StoreUnavailable("away")


class Rig:
    def __init__(self, counters: MemoryCounters) -> None:
        self.telemetry = Telemetry()
        replays = MemoryReplays(began=0)
        self.memos = MemoryMemos()
        self.reserver = Reserver(counters, replays, self.telemetry, lambda: NOW, memos=self.memos)

    def count(self, limit: str, outcome: str) -> float:
        labels = {"limit": limit, "outcome": outcome}
        return self.telemetry.registry.get_sample_value("extproc_limits_total", labels) or 0.0

    async def take(self, *amounts: int) -> Taken:
        said = await self.reserver.reserve(Reserving([charge(each) for each in amounts]))
        assert isinstance(said.outcome, Taken)
        return said.outcome

    async def left(self) -> int:
        """As much as can be taken at once."""
        for amount in range(10, 0, -1):
            said = await self.reserver.reserve(Reserving([charge(amount)]))
            if isinstance(said.outcome, Taken):
                self.reserver.settle(said.outcome, [0])
                await self.reserver.settled(1)
                return amount
        return 0


async def test_what_is_settled_takes_the_place_of_what_was_reserved() -> None:
    rig = Rig(MemoryCounters())
    taken = await rig.take(8)
    assert await rig.left() == 2
    rig.reserver.settle(taken, [3])
    await rig.reserver.settled(1)
    assert await rig.left() == 7


async def test_what_became_of_charges_is_counted_by_the_names_of_limits() -> None:
    rig = Rig(MemoryCounters())
    await rig.take(7)
    await rig.take(1)
    assert (rig.count("daily", "taken"), rig.count("daily", "near")) == (1, 1)
    said = await rig.reserver.reserve(Reserving([charge(5)]))
    assert isinstance(said.outcome, Refused)
    assert (said.now, len(said.salt)) == (NOW, 32)
    assert rig.count("daily", "refused") == 1


async def test_a_store_that_cannot_be_asked_says_nothing() -> None:
    rig = Rig(Gone())
    said = await rig.reserver.reserve(Reserving([charge(1)]))
    assert (said.outcome, said.spent) == (None, False)
    assert rig.count("", "unavailable") == 1


async def test_what_counts_once_is_looked_at_before_anything_is_taken() -> None:
    rig = Rig(MemoryCounters())
    once = Once("solution", NOW, NOW + 300)
    first = await rig.reserver.reserve(Reserving([charge(1)], once))
    again = await rig.reserver.reserve(Reserving([charge(1)], once))
    assert isinstance(first.outcome, Taken)
    assert (again.outcome, again.spent, len(again.salt)) == (None, True, 32)
    assert await rig.left() == 9


async def test_a_settlement_is_tried_again_until_the_store_takes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_PAUSES", (0, 0, 0))
    counters = Flaky()
    rig = Rig(counters)
    taken = await rig.take(9)
    counters.failures = 3
    rig.reserver.settle(taken, [1])
    await rig.reserver.settled(5)
    assert await rig.left() == 9
    assert rig.count("", "unsettled") == 0


async def test_a_settlement_that_nobody_takes_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSES", (0,))
    counters = Flaky()
    rig = Rig(counters)
    taken = await rig.take(9)
    counters.failures = 5
    rig.reserver.settle(taken, [1])
    await rig.reserver.settled(5)
    assert (rig.count("", "unsettled"), await rig.left()) == (1, 1)


async def test_no_more_settlements_wait_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "WAITING", 1)
    rig = Rig(MemoryCounters())
    first, second = await rig.take(2), await rig.take(2)
    rig.reserver.settle(first, [0])
    rig.reserver.settle(second, [0])
    assert rig.count("", "unsettled") == 1
    await rig.reserver.settled(1)
    assert await rig.left() == 8


async def test_a_sidecar_that_ends_waits_for_a_store_only_so_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_PAUSES", (3600,))
    counters = Flaky()
    rig = Rig(counters)
    taken = await rig.take(2)
    counters.failures = 1
    rig.reserver.settle(taken, [0])
    async with asyncio.timeout(5):
        await rig.reserver.settled(0.01)


async def test_nothing_to_settle_is_settled() -> None:
    await Rig(MemoryCounters()).reserver.settled(0)


async def test_who_wants_nothing_is_told_the_time_and_the_store_is_not_asked() -> None:
    rig = Rig(Gone())
    said = await rig.reserver.reserve(Reserving(()))
    assert (said.outcome, said.now) == (Taken("", (), (), ()), NOW)
    assert len(said.salt) == 32
    assert said.salt != (await rig.reserver.reserve(Reserving(()))).salt
    assert isinstance(said.outcome, Taken)
    rig.reserver.settle(said.outcome, [])
    await rig.reserver.settled(0.0)
    assert rig.count("", "unavailable") == rig.count("", "unsettled") == 0


async def test_what_is_never_settled_holds_no_place_and_is_told_of_chance_too() -> None:
    rig = Rig(MemoryCounters(reservations=1))
    for _ in range(3):
        said = await rig.reserver.reserve(Reserving([presence("acme")], final=True))
        assert isinstance(said.outcome, Taken)
        assert len(said.salt) == 32
    await rig.take(1)


async def test_what_is_shown_once_counts_once_though_nothing_else_is_taken() -> None:
    rig, once = Rig(Gone()), Once("name", NOW, NOW + 60)
    assert (await rig.reserver.reserve(Reserving((), once))).spent is False
    assert (await rig.reserver.reserve(Reserving((), once))).spent is True


async def test_what_is_being_settled_is_counted_until_the_store_has_it() -> None:
    rig = Rig(MemoryCounters())
    taken = await rig.take(8)
    assert rig.telemetry.registry.get_sample_value("extproc_settling") == 0
    rig.reserver.settle(taken, [3])
    assert rig.telemetry.registry.get_sample_value("extproc_settling") == 1
    await rig.reserver.settled(1)
    assert rig.telemetry.registry.get_sample_value("extproc_settling") == 0

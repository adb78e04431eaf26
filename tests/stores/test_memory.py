import sys
import time
from collections.abc import Iterator

import pytest

from extproc.errors import StoreUnavailable
from extproc.limits import SECOND, Charge, Refused, Rule, Taken
from extproc.stores.ledger import FEW
from extproc.stores.memory import MemoryCounters, steady
from tests.stores.contract import (
    AT_ONCE,
    BURST,
    DAILY,
    HOURLY,
    NOON,
    Clock,
    CountersContract,
    charge,
    left,
    refused,
    taken,
)
from tests.stores.machine import follow


async def memory(clock: Clock) -> MemoryCounters:
    return MemoryCounters(clock=clock)


class TestMemoryCounters(CountersContract):
    async def counters(self, clock: Clock) -> MemoryCounters:
        return await memory(clock)


def test_whatever_is_done_it_says_what_the_model_says() -> None:
    follow(memory, of_steady_time=True)


def test_its_clock_is_the_time_and_only_goes_forth() -> None:
    clock = steady()
    assert abs(clock() - time.time_ns() // 1000) < 60 * SECOND
    times = [clock() for _ in range(1000)]
    assert times == sorted(times)


async def test_made_up_subjects_are_counted_together_and_harm_nobody_else() -> None:
    counters = MemoryCounters(share=1000, clock=Clock())
    await taken(counters, charge(DAILY, 3, "alice"))
    for number in range(100_000):
        await counters.take([charge(DAILY, 1, f"made up {number}")], final=True)
    assert len(counters) == 1001
    assert counters.together == 100_000 - 999
    assert await left(counters, DAILY) == 7
    await refused(counters, charge(DAILY, 1, "made up 100001"))
    for number in range(1000):
        await taken(counters, charge(DAILY, 10, f"real {number}", "globex"))


async def test_what_was_counted_together_is_given_back_together() -> None:
    """Though there may be room for a counter by then."""
    clock = Clock()
    counters = MemoryCounters(share=0, clock=clock)
    for number in range(FEW):
        await taken(counters, charge(BURST, 1, f"{number}"))
    first = await taken(counters, charge(AT_ONCE, 1, "x"))
    await taken(counters, charge(AT_ONCE, 1, "y"))
    await refused(counters, charge(AT_ONCE, 1, "z"))
    clock.pass_(SECOND)
    for number in range(FEW):
        await taken(counters, charge(BURST, 1, f"later {number}"))
    await counters.settle(first, [0])
    clock.pass_(SECOND)
    assert counters.together > 0
    states = next(counters._ledger.of("acme", [AT_ONCE]))
    assert list(states.by_subject.values()) == [1]


async def test_two_who_are_counted_together_in_one_take_are_summed() -> None:
    counters = MemoryCounters(share=0, clock=Clock())
    for number in range(FEW):
        await taken(counters, charge(DAILY, 1, f"{number}"))
    both = [charge(DAILY, 6, "x"), charge(DAILY, 6, "y")]
    assert [wait.index for wait in (await refused(counters, *both)).waits] == [1]
    await taken(counters, charge(DAILY, 6, "x"), charge(DAILY, 4, "y"))
    await refused(counters, charge(DAILY, 1, "z"))


async def test_who_is_forgotten_for_another_of_the_same_take_is_counted_anew() -> None:
    clock = Clock()
    counters = MemoryCounters(clock=clock)
    for number in range(FEW):
        await taken(counters, charge(BURST, 1, f"{number}"))
    clock.pass_(SECOND)
    await taken(counters, charge(BURST, 4, "0"), charge(BURST, 4, "another"))
    states = next(counters._ledger.of("acme", [BURST]))
    assert sorted(states.subjects) == sorted(states.by_subject)
    assert len(counters) == len(states.subjects)
    await refused(counters, charge(BURST, 1, "0"))


async def test_groups_of_which_everything_was_refused_take_no_room() -> None:
    counters = MemoryCounters(groups=8, clock=Clock())
    for number in range(100):
        await refused(counters, charge(DAILY, 11, "alice", f"group {number}"))
    await taken(counters, charge(DAILY))


async def test_more_than_was_reserved_is_charged_though_the_counter_was_forgotten() -> None:
    clock = Clock()
    counters = MemoryCounters(capacity=10, clock=clock)
    reservation = await taken(counters, charge(BURST, 1, "alice"))
    for number in range(100):
        clock.pass_(SECOND)
        await taken(counters, charge(BURST, 1, f"{number}"))
    assert "alice" not in next(counters._ledger.of("acme", [BURST])).by_subject
    await counters.settle(reservation, [3])
    assert await left(counters, BURST) == 2


async def test_less_than_was_reserved_of_a_forgotten_counter_changes_nothing() -> None:
    clock = Clock()
    counters = MemoryCounters(capacity=10, clock=clock)
    reservation = await taken(counters, charge(BURST, 2, "alice"))
    for number in range(100):
        clock.pass_(SECOND)
        await taken(counters, charge(BURST, 1, f"{number}"))
    before = len(counters)
    assert "alice" not in next(counters._ledger.of("acme", [BURST])).by_subject
    await counters.settle(reservation, [0])
    assert len(counters) == before


async def test_reservations_have_a_bound_and_what_is_final_needs_none() -> None:
    counters = MemoryCounters(reservations=2, clock=Clock())
    first = await taken(counters, charge(DAILY))
    await taken(counters, charge(DAILY))
    with pytest.raises(StoreUnavailable, match="all 2 reservations are under way"):
        await counters.take([charge(DAILY)])
    assert isinstance(await counters.take([charge(DAILY)], final=True), Taken)
    await counters.settle(first, [1])
    await taken(counters, charge(DAILY))


async def test_a_crowd_lapses_a_few_at_a_time() -> None:
    clock = Clock()
    counters = MemoryCounters(clock=clock)
    for number in range(1200):
        await taken(counters, charge(DAILY, 5, f"{number}", kept=0))
    clock.pass_(900 * SECOND)
    held = []
    for _ in range(4):
        await counters.take([charge(BURST)], final=True)
        held.append(len(counters._held))
        clock.pass_(1)
    assert held == [700, 200, 0, 0]
    assert await left(counters, DAILY, subject="1199") == 10


async def test_of_what_lapsed_the_latest_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("extproc.stores.memory._LAPSED", 2)
    clock = Clock()
    counters = MemoryCounters(clock=clock)
    reservations = [await taken(counters, charge(DAILY, 2, kept=0)) for _ in range(3)]
    clock.pass_(900 * SECOND)
    assert await left(counters, DAILY) == 10
    for each in reservations:
        await counters.settle(each, [1])
    assert await left(counters, DAILY) == 8


async def test_time_that_is_set_back_stands_still() -> None:
    clock = Clock()
    counters = MemoryCounters(capacity=10, clock=clock)
    await taken(counters, charge(BURST, 4, "early"))
    for number in range(100):
        clock.pass_(SECOND)
        await taken(counters, charge(BURST, 1, f"{number}"))
    assert "early" not in next(counters._ledger.of("acme", [BURST])).by_subject
    clock.now = NOON
    await taken(counters, charge(BURST, 4, "early"))
    await refused(counters, charge(BURST, 1, "early"))


async def test_a_zone_that_changes_keeps_what_was_spent() -> None:
    """Whatever rule of its name and kind is in force."""
    counters = MemoryCounters(clock=Clock())
    await taken(counters, charge(DAILY, 10))
    await refused(counters, charge(type(DAILY)("daily/day", 10, DAILY.periods)))


async def test_reading_many_counters_takes_turns() -> None:
    counters = MemoryCounters(clock=Clock())
    for number in range(1200):
        await counters.take([charge(DAILY, 1 + number % 9, f"{number}")], final=True)
    account = await counters.read("acme", [DAILY, HOURLY], most=3)
    assert [each.spent for each in account.standings] == [9, 9, 9]
    assert account.more == 1197


def sizes(counters: MemoryCounters) -> Iterator[int]:
    """Of all that it holds for its counters: the words that others hold too, once more."""
    for group in counters._ledger.groups.values():
        for states in group.of.values():
            yield sys.getsizeof(states.by_subject)
            yield sys.getsizeof(states.subjects)
            for subject, state in states.by_subject.items():
                yield sys.getsizeof(subject) + sys.getsizeof(state)


@pytest.mark.parametrize("rule", [BURST, DAILY, HOURLY], ids=lambda rule: rule.name)
async def test_a_principal_takes_at_most_200_bytes(rule: Rule[object]) -> None:
    count = 20_000
    counters = MemoryCounters(share=count, clock=Clock())
    for number in range(count):
        await counters.take([Charge(rule, "acme", f"key:{number:016x}", 1)], final=True)
    assert len(counters) == count
    assert sum(sizes(counters)) / count <= 200


async def test_a_refusal_makes_no_counter() -> None:
    counters = MemoryCounters(clock=Clock())
    for number in range(100):
        outcome = await counters.take([charge(DAILY, 11, f"{number}")])
        assert isinstance(outcome, Refused)
    assert len(counters) == 0


async def test_a_grant_of_nothing_makes_no_counter() -> None:
    counters = MemoryCounters(clock=Clock())
    await counters.grant("acme", BURST, "alice", 3)
    assert len(counters) == 0

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extproc.errors import StoreUnavailable
from extproc.limits import (
    SECOND,
    Account,
    Calendar,
    Charge,
    Concurrency,
    Periods,
    Rate,
    Refused,
    Rule,
    Sliding,
    Taken,
    presence,
)
from extproc.stores.leased import Leased
from extproc.stores.memory import MemoryCounters
from tests.stores.contract import DAY, HOUR, NOON, Clock, CountersContract, charge, left
from tests.stores.replicas import Replicas, Shared

DAILY = Calendar("daily/day", 1000, Periods("day"))
SLIDING = Sliding("sliding/1h", 1000, HOUR)
RATE = Rate("rate/1m", 1000, 60 * SECOND)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(0, 2), st.lists(st.integers(1, 40), max_size=6)),
        st.tuples(st.just("settle"), st.integers(0, 50), st.sampled_from([0.0, 0.3, 1.0])),
        st.tuples(st.just("pass"), st.integers(0, 3 * SECOND), st.none()),
        st.tuples(st.just("pass"), st.integers(0, HOUR), st.none()),
        st.tuples(st.just("sweep"), st.integers(0, 2), st.none()),
        st.tuples(st.just("close"), st.integers(0, 30), st.none()),
    ),
    max_size=60,
)


class OverMemory(Leased):
    """With the operator's side of what is behind it."""

    def __init__(self, clock: Clock, **settings: Any) -> None:
        self.behind = MemoryCounters(clock=clock)
        self.together = 0
        super().__init__(self.behind, clock=clock, **settings)

    async def read(self, group: str, rules: Any, *, most: int) -> Account:
        return await self.behind.read(group, rules, most=most)

    async def grant(
        self, group: str, rule: Rule[Any], subject: str, amount: int | None = None
    ) -> None:
        await self.behind.grant(group, rule, subject, amount)

    async def freeze(self, group: str, *, frozen: bool) -> None:
        await self.behind.freeze(group, frozen=frozen)


class TestLeasedWithoutSlices(CountersContract):
    """The limits of the contract are too small for any."""

    async def counters(self, clock: Clock) -> OverMemory:
        return OverMemory(clock)


async def carry_out(replicas: Replicas, steps: list[Any]) -> None:
    for what, number, more in steps:
        match what:
            case "ask":
                await replicas.ask(number, more)
            case "settle":
                await replicas.settle(number, more)
            case "pass":
                replicas.clock.pass_(number)
            case "sweep":
                await replicas.all[number].sweep()
            case "close" if number < 3:
                await replicas.all[number].close()


async def often(replicas: Replicas, count: int = 1) -> None:
    """Each replica has been asked before, so that the next request leases."""
    for replica in range(count):
        await replicas.ask(replica, [1])


# Bounds


@settings(max_examples=60)
@given(steps=STEPS)
async def test_no_budget_of_a_calendar_is_overspent(steps: list[Any]) -> None:
    replicas = Replicas(DAILY, 3, share=0.1)
    for step in steps:
        await carry_out(replicas, [step])
        today = replicas.clock.now // DAY * DAY
        assert replicas.let_in(today, today + DAY - 1) <= DAILY.max


@settings(max_examples=60)
@given(steps=STEPS)
async def test_no_window_of_a_sliding_budget_is_overspent(steps: list[Any]) -> None:
    replicas = Replicas(SLIDING, 3, share=0.1)
    for step in steps:
        await carry_out(replicas, [step])
        now = replicas.clock.now
        assert replicas.let_in(now - HOUR, now) <= SLIDING.max


@settings(max_examples=60)
@given(steps=STEPS)
async def test_of_a_rate_any_interval_has_a_slice_of_each_replica_more_at_most(
    steps: list[Any],
) -> None:
    replicas = Replicas(RATE, 3, share=0.05)
    await carry_out(replicas, [step for step in steps if step[0] != "settle"])
    times = sorted({each.when for each in replicas.exchanges})
    for first, early in enumerate(times):
        for late in times[first:]:
            refilled = RATE.max * (1 + (late - early) / RATE.window)
            assert replicas.let_in(early, late) <= refilled + 3 * replicas.slice + 1


@settings(max_examples=60)
@given(steps=STEPS)
async def test_nothing_is_stranded_once_slices_have_ended(steps: list[Any]) -> None:
    replicas = Replicas(DAILY, 3, share=0.1)
    await carry_out(replicas, steps)
    await replicas.end()
    today = replicas.clock.now // DAY * DAY
    spent = replicas.let_in(today, today + DAY - 1)
    assert await replicas.left() == DAILY.max - spent
    assert all(not each._leases and not each._served for each in replicas.all)


@settings(max_examples=60)
@given(steps=STEPS)
async def test_at_most_a_slice_of_each_replica_is_idle(steps: list[Any]) -> None:
    replicas = Replicas(DAILY, 3, share=0.1)
    for step in steps:
        await carry_out(replicas, [step])
        for each in replicas.all:
            await each._all_ended()
            assert all(counter.held <= replicas.slice for counter in each._known.values())


async def test_a_budget_is_spent_to_its_end_by_three_replicas() -> None:
    replicas = Replicas(DAILY, 3, share=0.02)
    refused = 0
    for turn in range(3000):
        refused += not all(await replicas.ask(turn, [1]))
        replicas.clock.pass_(SECOND // 100)
    assert replicas.let_in(NOON, replicas.clock.now) == DAILY.max
    assert refused == 2000


@pytest.mark.parametrize("rule", [DAILY, SLIDING, RATE], ids=lambda rule: rule.name)
async def test_round_trips_are_a_tenth(rule: Rule[Any]) -> None:
    replicas = Replicas(rule, 2, share=0.02)
    for turn in range(900):
        assert await replicas.ask(turn, [1]) == [True]
        await replicas.settle(0)
        replicas.clock.pass_(SECOND // 100)
    await replicas.end()
    assert replicas.shared.trips * 10 <= 2 * 900


async def test_five_limits_cost_the_trips_of_one() -> None:
    clock = Clock()
    shared = Shared(clock)
    leased = Leased(shared, clock=clock)
    five = [charge(Calendar(f"{n}/day", 1000 * (n + 1), Periods("day"))) for n in range(5)]
    for _ in range(900):
        outcome = await leased.take(five)
        assert isinstance(outcome, Taken)
        await leased.settle(outcome, [1] * 5)
    await leased.close()
    assert shared.trips * 10 <= 2 * 900


# When there are slices


async def test_what_is_seldom_used_has_no_slice() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    for _ in range(5):
        await replicas.ask(0, [1])
        replicas.clock.pass_(6 * SECOND)
    assert await replicas.left() == DAILY.max - 5
    assert replicas.shared.trips == 5


async def test_the_second_request_leases_and_the_next_cost_nothing() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await often(replicas)
    assert await replicas.ask(0, [1] * 50) == [True] * 50
    assert await replicas.left() == DAILY.max - 1 - 100
    assert replicas.shared.trips == 2


async def test_what_a_slice_would_serve_few_of_goes_to_the_store() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    for _ in range(4):
        assert await replicas.ask(0, [26]) == [True]
    assert await replicas.left() == DAILY.max - 4 * 26


async def test_what_a_slice_does_not_cover_goes_to_the_store_whole() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await often(replicas)
    await replicas.ask(0, [25])
    other = charge(Rate("once/1h", 1, HOUR), kept=0)
    mine = Charge(DAILY, "acme", "alice", 5)
    store = replicas.all[0]
    assert isinstance(await store.take([mine, other]), Taken)
    assert isinstance(await store.take([mine, other]), Refused)
    assert await replicas.left() == DAILY.max - 1 - 100 - 5


async def test_concurrency_is_counted_by_the_store() -> None:
    clock = Clock()
    shared = Shared(clock)
    leased = Leased(shared, share=0.5, clock=clock)
    both = [charge(Concurrency("at-once", 100)), charge(DAILY)]
    for _ in range(5):
        assert isinstance(await leased.take(both), Taken)
    assert shared.trips == 5


async def test_that_a_tenant_is_not_stopped_is_asked_once_in_the_time_of_a_slice() -> None:
    clock = Clock()
    shared = Shared(clock)
    leased = Leased(shared, clock=clock)
    asked = [presence("acme"), charge(DAILY, 1, "", "cohort:c")]
    for _ in range(15):
        outcome = await leased.take(asked)
        assert isinstance(outcome, Taken)
        await leased.settle(outcome, [0, 1])
    assert shared.trips == 3
    await shared.store.freeze("acme", frozen=True)
    assert isinstance(await leased.take(asked), Taken)
    clock.pass_(5 * SECOND)
    assert await leased.take(asked) == Refused((), frozen=True)
    await leased.close()
    assert await left(shared.store, DAILY, subject="", group="cohort:c") == 1000 - 16


async def test_near_its_end_a_budget_has_no_slices() -> None:
    replicas = Replicas(DAILY, 2, share=0.1)
    await replicas.shared.store.take([Charge(DAILY, "acme", "alice", 720)], final=True)
    for turn in range(280):
        assert await replicas.ask(turn, [1]) == [True], turn
        replicas.clock.pass_(SECOND)
        await replicas.all[0].sweep()
        await replicas.all[1].sweep()
    assert await replicas.ask(0, [1]) == [False]


async def test_where_less_than_three_slices_are_left_none_is_leased() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await replicas.shared.store.take([Charge(DAILY, "acme", "alice", 700)], final=True)
    for _ in range(4):
        await replicas.ask(0, [1])
    assert await replicas.left() == 296


async def test_what_a_slice_has_left_is_part_of_the_next() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await often(replicas)
    await replicas.ask(0, [25] * 3)
    await replicas.ask(0, [10])
    await replicas.ask(0, [20])
    assert next(iter(replicas.all[0]._known.values())).held == 80
    assert await replicas.left() == DAILY.max - 1 - 85 - 100


async def test_more_than_a_slice_that_is_given_back_goes_back_to_the_store() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await often(replicas)
    await replicas.ask(0, [25] * 4)
    await replicas.ask(0, [25])
    for _ in range(4):
        await replicas.settle(1, 0.0)
    await replicas.all[0]._all_ended()
    assert next(iter(replicas.all[0]._known.values())).held <= 100
    assert await replicas.left() >= DAILY.max - 1 - 25 - 100


async def test_what_is_lacking_is_looked_for_in_its_own_slice() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await often(replicas)
    await replicas.ask(0, [1])
    await replicas.shared.store.take([Charge(DAILY, "acme", "alice", 899)], final=True)
    assert await replicas.left() == 0
    assert await replicas.ask(0, [99]) == [True]
    assert await replicas.ask(0, [1]) == [False]


async def test_two_charges_of_one_counter_are_served_together() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    twice = [Charge(DAILY, "acme", "alice", 10), Charge(DAILY, "acme", "alice", 15)]
    for _ in range(4):
        await replicas.all[0].take(twice)
    outcome = await replicas.all[0].take(twice)
    assert isinstance(outcome, Taken)
    await replicas.all[0].settle(outcome, [1, 2])
    assert replicas.shared.trips == 2
    replicas.clock.pass_(5 * SECOND)
    await replicas.all[0].sweep()
    assert await replicas.left() == DAILY.max - 4 * 25 - 3


async def test_requests_at_one_time_wait_for_one_lease() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await often(replicas)
    assert await replicas.ask(0, [1] * 90) == [True] * 90
    assert replicas.shared.trips == 2


async def test_a_request_that_is_given_up_loses_no_slice() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await often(replicas)
    store = replicas.all[0]
    waiting = asyncio.ensure_future(store.take([Charge(DAILY, "acme", "alice", 1)]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await replicas.end()
    assert await replicas.left() == DAILY.max - 1


async def test_says_what_is_left_as_far_as_it_knows() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await often(replicas)
    await replicas.ask(0, [1, 2])
    replicas.clock.pass_(SECOND)
    outcome = await replicas.all[0].take([Charge(DAILY, "acme", "alice", 3)])
    assert isinstance(outcome, Taken)
    assert outcome.levels[0].left == DAILY.max - 7
    assert outcome.levels[0].reset == DAY // 2 - SECOND


async def test_so_many_counters_are_known_and_the_others_have_no_slices() -> None:
    clock = Clock()
    shared = Shared(clock)
    leased = Leased(shared, most=2, clock=clock)
    for subject in ("a", "b", "c", "c", "c"):
        await leased.take([charge(DAILY, 1, subject)])
    assert shared.trips == 5
    assert len(leased._known) == 2
    clock.pass_(6 * SECOND)
    await leased.sweep()
    assert not leased._known


# What ends them


async def test_what_is_left_goes_back_when_the_time_is_over() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await often(replicas)
    await replicas.ask(0, [1])
    await replicas.settle(0)
    await replicas.settle(0)
    replicas.clock.pass_(5 * SECOND - 1)
    await replicas.all[0].sweep()
    assert await replicas.left() == 899
    replicas.clock.pass_(1)
    await replicas.all[0].sweep()
    assert await replicas.left() == 998


async def test_a_slice_ends_without_being_looked_for() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await often(replicas)
    await replicas.ask(0, [1])
    for _ in range(3):
        replicas.clock.pass_(5 * SECOND - 1)
        await replicas.ask(0, [1])
    await replicas.all[0]._all_ended()
    assert len(replicas.all[0]._leases) <= 2  # one that serves, and what is under way of another


async def test_closing_returns_what_is_left_and_leases_no_more() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await often(replicas)
    await replicas.ask(0, [1])
    await replicas.all[0].close()
    assert await replicas.left() == 998
    await replicas.ask(0, [1])
    await replicas.ask(0, [1])
    assert await replicas.left() == 996
    for _ in range(4):
        await replicas.settle(0, 0.0)
    assert await replicas.left() == DAILY.max


async def test_a_slice_ends_with_its_day() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    replicas.clock.now = NOON + DAY // 2 - 2 * SECOND
    await often(replicas)
    await replicas.ask(0, [1])
    replicas.clock.pass_(2 * SECOND)
    assert await replicas.ask(0, [1]) == [True]
    await replicas.all[0].close()
    assert await replicas.left() == DAILY.max - 1


async def test_a_slice_ends_with_its_part_of_a_sliding_window() -> None:
    """Or what is used of it later would be forgotten too early."""
    replicas = Replicas(SLIDING, 1, share=0.1)
    replicas.clock.now = NOON + SLIDING.part - SECOND
    await often(replicas)
    await replicas.ask(0, [1])
    replicas.clock.pass_(SECOND)
    assert await replicas.ask(0, [25]) == [True]
    await replicas.settle(2)
    await replicas.all[0].close()
    replicas.clock.pass_(HOUR)
    assert await replicas.left() == SLIDING.max - 25


async def test_a_new_policy_has_slices_of_its_own() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await often(replicas)
    await replicas.ask(0, [1])
    tighter = Calendar("daily/day", 50, Periods("day"))
    outcome = await replicas.all[0].take([Charge(tighter, "acme", "alice", 49)])
    assert isinstance(outcome, Refused)
    await replicas.all[0]._all_ended()
    assert await replicas.left() == 998


async def test_the_same_policy_compiled_anew_keeps_its_slices() -> None:
    replicas = Replicas(RATE, 1, share=0.1)
    await often(replicas)
    await replicas.ask(0, [1])
    again = Charge(Rate("rate/1m", 1000, 60 * SECOND), "acme", "alice", 1)
    await replicas.all[0].take([again])
    assert replicas.shared.trips == 2


async def test_a_freeze_takes_effect_within_the_time_of_a_slice() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await often(replicas)
    await replicas.ask(0, [4])
    await replicas.shared.store.freeze("acme", frozen=True)
    assert await replicas.ask(0, [1]) == [True]
    replicas.clock.pass_(5 * SECOND)
    assert await replicas.ask(0, [1]) == [False]
    await replicas.shared.store.freeze("acme", frozen=False)
    for _ in range(2):
        await replicas.settle(1, 0.5)
    await replicas.end()
    assert await replicas.left() == DAILY.max - 1 - 2


async def test_a_grant_takes_effect_within_the_time_of_a_slice() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await often(replicas)
    await replicas.shared.store.take([Charge(DAILY, "acme", "alice", 999)], final=True)
    assert await replicas.ask(0, [1]) == [False]
    await replicas.shared.store.grant("acme", DAILY, "alice")
    assert await replicas.ask(0, [1]) == [True]


# What is under way when they end


async def test_what_is_under_way_is_charged_by_itself_when_a_slice_ends() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await often(replicas)
    await replicas.ask(0, [10, 20])
    replicas.clock.pass_(5 * SECOND)
    await replicas.all[0].sweep()
    assert await replicas.left() == DAILY.max - 1 - 30
    await replicas.settle(1, 0.5)
    await replicas.settle(1, 0.5)
    await replicas.all[0].sweep()
    assert await replicas.left() == DAILY.max - 1 - 15


@pytest.mark.parametrize("rule", [DAILY, SLIDING, RATE], ids=lambda rule: rule.name)
async def test_an_exchange_that_took_more_is_charged_so(rule: Rule[Any]) -> None:
    replicas = Replicas(rule, 1, share=0.1)
    await often(replicas)
    await replicas.ask(0, [10])
    exchange = replicas.exchanges[1]
    await replicas.all[0].settle(exchange.taken, [110])
    await replicas.all[0].close()
    await replicas.all[0].settle(exchange.taken, [0])
    assert await replicas.left() == rule.max - 1 - 110


async def test_of_yesterdays_slices_nothing_is_charged_today() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    replicas.clock.now = NOON + DAY // 2 - 2 * SECOND
    await often(replicas)
    await replicas.ask(0, [10])
    replicas.clock.pass_(5 * SECOND)
    await replicas.end()
    assert await replicas.left() == DAILY.max


async def test_of_a_rate_only_what_is_not_refilled_is_charged_anew() -> None:
    replicas = Replicas(RATE, 1, share=0.1)
    await often(replicas)
    await replicas.ask(0, [20, 5])
    replicas.clock.pass_(5 * SECOND)
    await replicas.all[0].sweep()
    assert await replicas.left() == RATE.max - 17  # of 101, 83 are refilled, and the rest is held
    await replicas.settle(1, 0.0)
    await replicas.settle(1, 0.0)
    await replicas.all[0].sweep()
    assert await replicas.left() == RATE.max


async def test_what_is_never_settled_is_charged_by_what_is_certain_of_it() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await often(replicas)
    await replicas.ask(0, [20, 5], kept=3)
    replicas.clock.pass_(5 * SECOND)
    await replicas.all[0].sweep()
    replicas.clock.pass_(900 * SECOND)
    await replicas.all[0].sweep()
    assert await replicas.left() == DAILY.max - 6
    assert not replicas.all[0]._served


async def test_a_replica_that_dies_leaves_its_slices_charged() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await often(replicas)
    await replicas.ask(0, [1])
    replicas.clock.pass_(900 * SECOND)
    assert await replicas.left() == DAILY.max - 100


# A store that does not answer


async def test_a_store_that_does_not_answer_fails_what_slices_do_not_cover() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await often(replicas)
    await replicas.ask(0, [1])
    replicas.shared.down = True
    assert await replicas.ask(0, [1] * 99) == [True] * 99
    with pytest.raises(StoreUnavailable):
        await replicas.ask(0, [1])
    replicas.clock.pass_(5 * SECOND)
    with pytest.raises(StoreUnavailable):
        await replicas.ask(0, [1])


async def test_what_could_not_be_returned_is_when_the_store_answers_again() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await often(replicas)
    await replicas.ask(0, [1, 2])
    await replicas.settle(1)
    replicas.shared.down = True
    replicas.clock.pass_(5 * SECOND)
    await replicas.all[0].sweep()  # cannot move what is under way
    await replicas.settle(1)
    for _ in range(5):
        await replicas.all[0].sweep()
    replicas.shared.down = False
    await replicas.settle(0)
    await replicas.all[0].sweep()
    assert await replicas.left() == DAILY.max - 4


async def test_a_store_that_never_answers_is_given_up() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await often(replicas)
    await replicas.ask(0, [1])
    await replicas.settle(1)
    replicas.shared.down = True
    replicas.clock.pass_(5 * SECOND)
    for _ in range(30):
        await replicas.all[0].sweep()
    assert not replicas.all[0]._late


async def test_it_looks_for_ended_slices_by_itself() -> None:
    replicas = Replicas(DAILY, 1, share=0.1, seconds=0.01)
    await often(replicas)
    await replicas.ask(0, [1])
    replicas.clock.pass_(SECOND)
    await replicas.all[0].start()
    while await replicas.left() < 998:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0)
    await replicas.all[0].close()
    assert len(replicas.all[0]._served) == 1


# Corners


async def test_closing_while_slices_go_back_loses_none() -> None:
    replicas = Replicas(DAILY, 1, share=0.1, seconds=0.01)
    await often(replicas)
    await replicas.ask(0, [1])
    replicas.clock.pass_(SECOND)
    store = replicas.all[0]
    for each in store._leases:
        assert each.serving
    await store.start()
    while all(each.serving for each in store._leases):  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0)
    await store.close()
    assert await replicas.left() == 998


async def test_what_is_final_is_spent_at_once() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await often(replicas)
    await replicas.ask(0, [1])
    store = replicas.all[0]
    outcome = await store.take([Charge(DAILY, "acme", "alice", 20)], final=True)
    assert isinstance(outcome, Taken)
    await store.settle(outcome, [0])
    await replicas.end()
    assert replicas.shared.trips == 4
    assert await replicas.left() == DAILY.max - 22


async def test_so_many_leases_are_held_and_what_is_beyond_goes_to_the_store() -> None:
    clock = Clock()
    shared = Shared(clock)
    leased = Leased(shared, share=0.1, most=1, clock=clock)
    for _ in range(6):
        assert isinstance(await leased.take([charge(DAILY, 25)]), Taken)
        assert len(leased._leases) <= 1
        leased._served.clear()
    assert shared.trips == 3


async def test_requests_that_others_were_served_before_do_not_wait_for_ever() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await often(replicas)
    assert await replicas.ask(0, [25] * 20) == [True] * 20
    assert replicas.shared.trips <= 20


async def test_what_is_held_in_pieces_too_small_is_not_leased_once_more() -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await often(replicas)
    next(iter(replicas.all[0]._known.values())).held = 90
    assert await replicas.ask(0, [25]) == [True]
    assert await replicas.left() == DAILY.max - 26


async def test_of_a_rate_that_is_refilled_nothing_is_charged_anew() -> None:
    replicas = Replicas(RATE, 1, share=0.1, seconds=10.0)
    await often(replicas)
    await replicas.ask(0, [20])
    replicas.clock.pass_(10 * SECOND)
    await replicas.all[0].sweep()
    assert await replicas.left() == RATE.max
    await replicas.settle(1, 0.5)
    assert await replicas.left() == RATE.max
    assert not replicas.all[0]._leases


@pytest.mark.parametrize("down", [False, True])
async def test_an_exchange_may_end_while_it_is_charged_by_itself(down: bool) -> None:
    replicas = Replicas(DAILY, 1, share=0.1)
    await often(replicas)
    await replicas.ask(0, [20])
    replicas.clock.pass_(5 * SECOND)
    replicas.shared.down = down
    sweeping = asyncio.ensure_future(replicas.all[0].sweep())
    for _ in range(2):
        await asyncio.sleep(0)
    await replicas.settle(1, 0.5)
    await sweeping
    replicas.shared.down = False
    await replicas.all[0].sweep()
    assert await replicas.left() == DAILY.max - 1 - 10
    assert not replicas.all[0]._leases

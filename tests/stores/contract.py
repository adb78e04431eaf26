"""What every Counters and Accounts must do.  A store's test module subclasses CountersContract.

A store under test tells time by the clock it is given, which the tests move.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extproc.limits import (
    NEVER,
    SECOND,
    Accounts,
    Calendar,
    Charge,
    Concurrency,
    Counters,
    Periods,
    Rate,
    Refused,
    Rule,
    Sliding,
    Taken,
)

of_every_store = settings(suppress_health_check=[HealthCheck.differing_executors])
"""These laws are run by one class per store, which hypothesis would have us look at twice."""

HOUR = 3600 * SECOND
DAY = 24 * HOUR
NOON = 1_800_000_000 * SECOND // DAY * DAY + DAY // 2
"""Of some day, in UTC."""

BURST = Rate("burst/1s", max=4, window=SECOND)
HOURLY = Sliding("hourly/1h", max=5, window=HOUR)
DAILY = Calendar("daily/day", max=10, periods=Periods("day"))
AT_ONCE = Concurrency("at-once", max=2)
RULES: tuple[Rule[Any], ...] = (BURST, HOURLY, DAILY, AT_ONCE)

rules = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


class Clock:
    """Microseconds since 1970; the tests move it."""

    def __init__(self, now: int = NOON) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def pass_(self, microseconds: int) -> None:
        self.now += microseconds


class Store(Counters, Accounts, Protocol):
    """Both sides of a store."""


def charge(
    rule: Rule[Any], amount: int = 1, subject: str = "alice", group: str = "acme", **more: Any
) -> Charge:
    """All of it certain, where nothing else is said."""
    return Charge(rule, group, subject, amount, **{"kept": amount, **more})


async def taken(counters: Counters, *charges: Charge) -> Taken:
    outcome = await counters.take(charges)
    assert isinstance(outcome, Taken), outcome
    return outcome


async def refused(counters: Counters, *charges: Charge) -> Refused:
    outcome = await counters.take(charges)
    assert isinstance(outcome, Refused), outcome
    return outcome


async def left(counters: Counters, rule: Rule[Any], **where: Any) -> int:
    """How much can be taken, found by taking nothing: 0 where that is refused."""
    outcome = await counters.take([charge(rule, 0, **where)], final=True)
    return outcome.levels[0].left if isinstance(outcome, Taken) else 0


class CountersContract:
    lease: float = 900.0
    """Seconds after which a store of these tests gives back what was never settled."""

    async def counters(self, clock: Clock) -> Store:
        """New and empty."""
        raise NotImplementedError

    # What is let in

    @rules
    async def test_lets_in_up_to_the_maximum_and_not_one_more(self, rule: Rule[Any]) -> None:
        counters = await self.counters(Clock())
        for _ in range(rule.max):
            await taken(counters, charge(rule))
        assert (await refused(counters, charge(rule))).waits[0].index == 0

    @rules
    async def test_lets_the_whole_maximum_in_at_once_and_not_more(self, rule: Rule[Any]) -> None:
        counters = await self.counters(Clock())
        await refused(counters, charge(rule, rule.max + 1))
        await taken(counters, charge(rule, rule.max))
        await refused(counters, charge(rule))

    async def test_a_rate_refills_evenly_and_not_at_once(self) -> None:
        clock = Clock()
        counters = await self.counters(clock)
        await taken(counters, charge(BURST, 4))
        clock.pass_(249_999)
        assert (await refused(counters, charge(BURST))).waits[0].microseconds == 1
        clock.pass_(1)
        await taken(counters, charge(BURST))
        await refused(counters, charge(BURST))

    async def test_a_day_begins_with_the_whole_budget(self) -> None:
        clock = Clock()
        counters = await self.counters(clock)
        await taken(counters, charge(DAILY, 10))
        clock.pass_(DAY // 2 - 1)
        assert (await refused(counters, charge(DAILY))).waits[0].microseconds == 1
        clock.pass_(1)
        await taken(counters, charge(DAILY, 10))

    async def test_what_is_older_than_the_window_no_longer_counts(self) -> None:
        clock = Clock()
        counters = await self.counters(clock)
        await taken(counters, charge(HOURLY, 2))
        clock.pass_(HOUR // 2)
        await taken(counters, charge(HOURLY, 3))
        clock.pass_(HOUR // 2)
        await refused(counters, charge(HOURLY))
        clock.pass_(HOUR // 8)
        await taken(counters, charge(HOURLY, 2))
        await refused(counters, charge(HOURLY))

    async def test_what_is_under_way_is_given_back_when_it_is_settled(self) -> None:
        counters = await self.counters(Clock())
        first = await taken(counters, charge(AT_ONCE))
        await taken(counters, charge(AT_ONCE))
        await refused(counters, charge(AT_ONCE))
        await counters.settle(first, [0])
        await taken(counters, charge(AT_ONCE))
        await refused(counters, charge(AT_ONCE))

    async def test_takes_from_all_limits_or_from_none(self) -> None:
        counters = await self.counters(Clock())
        await taken(counters, charge(BURST, 4))
        several: tuple[tuple[Rule[Any], ...], ...]
        several = ((DAILY, BURST), (BURST, DAILY), (HOURLY, BURST, DAILY))
        for charges in several:
            for _ in range(5):
                await refused(counters, *(charge(rule) for rule in charges))
        assert await left(counters, DAILY) == 10
        assert await left(counters, HOURLY) == 5

    async def test_takes_from_all_groups_or_from_none(self) -> None:
        counters = await self.counters(Clock())
        await taken(counters, charge(HOURLY, 5, "", "cohort:c"))
        groups = [charge(DAILY), charge(HOURLY, 1, "", "cohort:c"), charge(BURST, 1, "", "")]
        assert [wait.index for wait in (await refused(counters, *groups)).waits] == [1]
        assert await left(counters, DAILY) == 10
        assert await left(counters, BURST, subject="", group="") == 4

    async def test_names_every_limit_that_does_not_fit(self) -> None:
        counters = await self.counters(Clock())
        await taken(counters, charge(BURST, 4), charge(DAILY, 10))
        waits = (await refused(counters, *(charge(rule) for rule in (DAILY, HOURLY, BURST)))).waits
        assert [wait.index for wait in waits] == [0, 2]
        assert waits[0].microseconds == DAY // 2
        assert waits[1].microseconds == 250_000

    async def test_two_charges_of_one_counter_are_counted_together(self) -> None:
        counters = await self.counters(Clock())
        twice = [charge(DAILY, 6), charge(DAILY, 6)]
        assert [wait.index for wait in (await refused(counters, *twice)).waits] == [1]
        both = await taken(counters, charge(DAILY, 6), charge(DAILY, 4))
        assert both.levels[1].left == 0
        await counters.settle(both, [1, 2])
        assert await left(counters, DAILY) == 7

    async def test_what_is_more_than_there_can_be_has_to_wait_for_ever(self) -> None:
        clock = Clock()
        counters = await self.counters(clock)
        for rule in RULES:
            waits = (await refused(counters, charge(rule, rule.max + 1))).waits
            assert [wait.microseconds for wait in waits] == [NEVER - clock.now]

    @rules
    async def test_counters_of_others_are_apart(self, rule: Rule[Any]) -> None:
        counters = await self.counters(Clock())
        for subject in ("alice", "bob", ""):
            for group in ("acme", "globex", "", "cohort:acme"):
                await taken(counters, charge(rule, rule.max, subject, group))
                await refused(counters, charge(rule, 1, subject, group))

    async def test_nothing_to_take_is_always_let_in(self) -> None:
        counters = await self.counters(Clock())
        await counters.settle(await taken(counters), [])

    @rules
    async def test_a_refused_request_costs_nothing(self, rule: Rule[Any]) -> None:
        counters = await self.counters(Clock())
        await taken(counters, charge(rule, rule.max))
        before = await refused(counters, charge(rule))
        for _ in range(20):
            await refused(counters, charge(rule))
        assert await refused(counters, charge(rule)) == before

    @rules
    async def test_says_where_each_counter_stands(self, rule: Rule[Any]) -> None:
        counters = await self.counters(Clock())
        outcome = await taken(counters, charge(rule), charge(rule, rule.max, "bob"))
        assert [level.left for level in outcome.levels] == [rule.max - 1, 0]
        assert all(level.reset > 0 for level in outcome.levels)

    async def test_says_when_a_counter_is_as_good_as_unused(self) -> None:
        clock = Clock()
        counters = await self.counters(clock)
        outcome = await taken(counters, *(charge(rule) for rule in RULES))
        resets = [level.reset for level in outcome.levels]
        assert resets == [250_000, 9 * HOUR // 8, DAY // 2, NEVER - clock.now]

    @rules
    async def test_what_is_forced_is_counted_whatever_the_level_is(self, rule: Rule[Any]) -> None:
        counters = await self.counters(Clock())
        await taken(counters, charge(rule, rule.max))
        over = await taken(counters, charge(rule, 2, forced=True))
        assert over.levels[0].left == 0
        await refused(counters, charge(rule, 0))
        await counters.settle(over, [0])
        await taken(counters, charge(rule, 0))

    @rules
    async def test_parallel_requests_never_pass_the_limit(self, rule: Rule[Any]) -> None:
        counters = await self.counters(Clock())
        takes = [counters.take([charge(rule), charge(BURST, 1, f"{n}")]) for n in range(50)]
        outcomes = await asyncio.gather(*takes)
        assert sum(isinstance(outcome, Taken) for outcome in outcomes) == rule.max

    async def test_parallel_requests_strand_nothing(self) -> None:
        """What one of them has no room for is not kept from the others."""
        counters = await self.counters(Clock())
        takes = [counters.take([charge(DAILY), charge(HOURLY, 1, f"{n % 4}")]) for n in range(40)]
        outcomes = await asyncio.gather(*takes)
        assert sum(isinstance(outcome, Taken) for outcome in outcomes) == 10

    # What becomes of it

    @rules
    async def test_what_was_too_much_is_given_back(self, rule: Rule[Any]) -> None:
        counters = await self.counters(Clock())
        await counters.settle(await taken(counters, charge(rule, 2)), [1])
        assert await left(counters, rule) == rule.max - 1

    @rules
    async def test_what_was_too_little_is_charged(self, rule: Rule[Any]) -> None:
        counters = await self.counters(Clock())
        await counters.settle(await taken(counters, charge(rule, 1)), [2])
        assert await left(counters, rule) == rule.max - 2

    @rules
    async def test_what_is_settled_again_stays_as_it_is(self, rule: Rule[Any]) -> None:
        counters = await self.counters(Clock())
        reservation = await taken(counters, charge(rule, 2))
        await counters.settle(reservation, [1])
        for amount in (0, 1, 2, rule.max):
            await counters.settle(reservation, [amount])
        await asyncio.gather(*(counters.settle(reservation, [0]) for _ in range(10)))
        assert await left(counters, rule) == rule.max - 1

    async def test_one_of_many_that_settle_at_once_does(self) -> None:
        counters = await self.counters(Clock())
        await taken(counters, charge(DAILY, 5))
        reservation = await taken(counters, charge(DAILY, 5))
        await asyncio.gather(*(counters.settle(reservation, [2]) for _ in range(20)))
        assert await left(counters, DAILY) == 3

    async def test_charges_are_settled_each_by_its_own_amount(self) -> None:
        counters = await self.counters(Clock())
        both = await taken(counters, charge(HOURLY, 3), charge(DAILY, 3, "", "cohort:c"))
        await counters.settle(both, [1, 5])
        assert await left(counters, HOURLY) == 4
        assert await left(counters, DAILY, subject="", group="cohort:c") == 5

    async def test_of_what_is_never_settled_the_certain_part_stays(self) -> None:
        clock = Clock()
        counters = await self.counters(clock)
        await taken(counters, charge(DAILY, 8, kept=2), charge(AT_ONCE, 1, kept=0))
        clock.pass_(int(self.lease * SECOND) - 1)
        assert await left(counters, DAILY) == 2
        clock.pass_(1)
        assert await left(counters, DAILY) == 8
        assert await left(counters, AT_ONCE) == 2

    async def test_what_is_settled_behind_its_lease_is_charged_in_place_of_the_part(self) -> None:
        clock = Clock()
        counters = await self.counters(clock)
        reservation = await taken(counters, charge(DAILY, 8, kept=2))
        clock.pass_(int(self.lease * SECOND))
        assert await left(counters, DAILY) == 8
        for _ in range(2):
            await counters.settle(reservation, [5])
            assert await left(counters, DAILY) == 5

    async def test_what_is_final_is_never_given_back(self) -> None:
        clock = Clock()
        counters = await self.counters(clock)
        outcome = await counters.take([charge(DAILY, 8)], final=True)
        assert isinstance(outcome, Taken)
        await counters.settle(outcome, [0])
        clock.pass_(int(self.lease * SECOND))
        assert await left(counters, DAILY) == 2

    async def test_yesterdays_charges_are_not_given_back_today(self) -> None:
        clock = Clock(NOON + DAY // 2 - SECOND)
        counters = await self.counters(clock)
        reservation = await taken(counters, charge(DAILY, 8))
        clock.pass_(2 * SECOND)
        await taken(counters, charge(DAILY, 6))
        await counters.settle(reservation, [0])
        assert await left(counters, DAILY) == 4

    async def test_what_time_has_refilled_is_not_given_back_once_more(self) -> None:
        clock = Clock()
        counters = await self.counters(clock)
        reservation = await taken(counters, charge(BURST, 4))
        clock.pass_(SECOND)
        await taken(counters, charge(BURST, 3))
        await counters.settle(reservation, [0])
        assert await left(counters, BURST) == 1

    # Time

    @rules
    async def test_a_clock_that_steps_back_refills_nothing(self, rule: Rule[Any]) -> None:
        clock = Clock()
        counters = await self.counters(clock)
        await taken(counters, charge(rule, rule.max))
        for back in (SECOND, HOUR, 0, 40 * 60 * SECOND):
            clock.now = NOON - back
            await refused(counters, charge(rule))

    @of_every_store
    @given(data=st.data())
    async def test_waiting_as_long_as_told_is_enough(self, data: st.DataObject) -> None:
        clock = Clock()
        counters = await self.counters(clock)
        for rule in (BURST, HOURLY, DAILY):
            for _ in range(data.draw(st.integers(1, 8))):
                clock.pass_(
                    data.draw(st.integers(0, HOUR)) // data.draw(st.sampled_from([1, 9999]))
                )
                asked = charge(rule, data.draw(st.integers(1, rule.max)))
                outcome = await counters.take([asked])
                if isinstance(outcome, Refused):
                    clock.pass_(outcome.waits[0].microseconds - 1)
                    await refused(counters, asked)
                    clock.pass_(1)
                    await taken(counters, asked)

    @of_every_store
    @given(
        amounts=st.lists(st.integers(1, 3), min_size=1, max_size=30),
        steps=st.lists(st.integers(0, SECOND), min_size=30, max_size=30),
    )
    async def test_no_interval_lets_more_in_than_the_burst_and_its_refill(
        self, amounts: Sequence[int], steps: Sequence[int]
    ) -> None:
        clock = Clock()
        counters = await self.counters(clock)
        let_in = []
        for amount, step in zip(amounts, steps, strict=False):
            clock.pass_(step)
            if isinstance(await counters.take([charge(BURST, amount)]), Taken):
                let_in.append((clock.now, amount))
        for first, (early, _) in enumerate(let_in):
            for last, (late, _) in enumerate(let_in[first:], first):
                amount = sum(amount for _, amount in let_in[first : last + 1])
                assert (amount - BURST.max) * BURST.window <= (late - early) * BURST.max

    # The operator's side

    async def test_a_frozen_group_refuses_everything_and_others_nothing(self) -> None:
        counters = await self.counters(Clock())
        await counters.freeze("acme", frozen=True)
        for _ in range(2):
            assert await refused(counters, charge(DAILY)) == Refused((), frozen=True)
            assert await refused(counters, charge(DAILY, forced=True)) == Refused((), frozen=True)
        both = [charge(DAILY, group="globex"), charge(DAILY)]
        assert await refused(counters, *both) == Refused((), frozen=True)
        assert await left(counters, DAILY, group="globex") == 10
        assert (await counters.read("acme", RULES, most=5)).frozen
        await counters.freeze("acme", frozen=False)
        await taken(counters, charge(DAILY))
        assert not (await counters.read("acme", RULES, most=5)).frozen

    async def test_what_is_under_way_is_settled_while_frozen(self) -> None:
        counters = await self.counters(Clock())
        reservation = await taken(counters, charge(DAILY, 8))
        await counters.freeze("acme", frozen=True)
        await counters.settle(reservation, [1])
        await counters.freeze("acme", frozen=False)
        assert await left(counters, DAILY) == 9

    async def test_reads_the_counters_that_are_most_used(self) -> None:
        counters = await self.counters(Clock())
        for subject, amount in (("a", 1), ("b", 9), ("c", 5), ("d", 7)):
            await taken(counters, charge(DAILY, amount, subject))
        await taken(counters, charge(BURST, 1, "a"), charge(DAILY, 10, "x", "globex"))
        account = await counters.read("acme", [DAILY], most=2)
        assert [(each.subject, each.spent, each.left) for each in account.standings] == [
            ("b", 9, 1),
            ("d", 7, 3),
        ]
        assert {each.rule for each in account.standings} == {"daily/day"}
        assert {each.reset for each in account.standings} == {DAY // 2}
        assert account.more == 2
        everything = await counters.read("acme", RULES, most=50)
        assert len(everything.standings) == 5
        assert everything.more == 0

    async def test_tells_since_when_was_spent_what_a_window_counts(self) -> None:
        clock = Clock()
        counters = await self.counters(clock)
        await taken(counters, charge(HOURLY))
        await taken(counters, charge(DAILY))
        clock.pass_(HOUR // 2)
        await taken(counters, charge(HOURLY))
        account = await counters.read("acme", RULES, most=5)
        ages = {each.rule: each.age for each in account.standings}
        assert ages["daily/day"] == 0
        assert HOUR // 2 <= ages["hourly/1h"] < HOUR // 2 + HOURLY.part

    async def test_of_an_unknown_group_there_is_nothing_to_read(self) -> None:
        counters = await self.counters(Clock())
        account = await counters.read("nobody", RULES, most=5)
        assert (account.frozen, account.standings, account.more) == (False, (), 0)

    async def test_grants_give_back_and_may_give_more(self) -> None:
        counters = await self.counters(Clock())
        for rule, spent in ((DAILY, 10), (HOURLY, 5)):
            await taken(counters, charge(rule, spent))
            await counters.grant("acme", rule, "alice", 3)
            assert await left(counters, rule) == 3
            await counters.grant("acme", rule, "alice", spent)
            assert await left(counters, rule) == spent + 3
            await taken(counters, charge(rule, spent + 3))
            await refused(counters, charge(rule))

    async def test_a_grant_before_anything_is_spent_is_had_on_top(self) -> None:
        counters = await self.counters(Clock())
        await counters.grant("acme", DAILY, "alice", 4)
        await taken(counters, charge(DAILY, 14))
        await refused(counters, charge(DAILY))

    async def test_of_a_rate_no_more_is_granted_than_was_spent(self) -> None:
        counters = await self.counters(Clock())
        await counters.grant("acme", BURST, "alice", 2)
        await taken(counters, charge(BURST, 4))
        await counters.grant("acme", BURST, "alice", 50)
        assert await left(counters, BURST) == 4

    async def test_of_what_is_under_way_nothing_is_granted(self) -> None:
        counters = await self.counters(Clock())
        await taken(counters, charge(AT_ONCE, 2))
        await counters.grant("acme", AT_ONCE, "alice")
        await counters.grant("acme", AT_ONCE, "alice", 1)
        await refused(counters, charge(AT_ONCE))

    @pytest.mark.parametrize("rule", [BURST, HOURLY, DAILY], ids=lambda rule: rule.name)
    async def test_a_reset_gives_all_of_it_and_no_more(self, rule: Rule[Any]) -> None:
        counters = await self.counters(Clock())
        await counters.grant("acme", rule, "alice")
        await taken(counters, charge(rule, rule.max))
        for _ in range(2):
            await counters.grant("acme", rule, "alice")
        assert await left(counters, rule) == rule.max

    async def test_a_reset_keeps_what_was_granted_beyond(self) -> None:
        counters = await self.counters(Clock())
        await counters.grant("acme", DAILY, "alice", 4)
        await counters.grant("acme", DAILY, "alice")
        assert await left(counters, DAILY) == 14

    async def test_a_grant_ends_with_its_period(self) -> None:
        clock = Clock()
        counters = await self.counters(clock)
        await counters.grant("acme", DAILY, "alice", 4)
        clock.pass_(DAY // 2)
        assert await left(counters, DAILY) == 10

    async def test_grants_are_of_one_counter(self) -> None:
        counters = await self.counters(Clock())
        for subject, group in (("alice", "acme"), ("bob", "acme"), ("alice", "globex")):
            await taken(counters, charge(DAILY, 10, subject, group))
        await counters.grant("acme", DAILY, "alice")
        assert await left(counters, DAILY) == 10
        await refused(counters, charge(DAILY, 1, "bob"))
        await refused(counters, charge(DAILY, 1, "alice", "globex"))

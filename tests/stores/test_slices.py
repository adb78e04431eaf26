from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.limits import SECOND, Calendar, Concurrency, Level, Periods, Rate, Rule, Sliding
from extproc.stores.slices import Counter, Lease, Served, Slice, divisible, serves, worth
from tests.stores.contract import HOUR, NOON, charge

DAILY = Calendar("daily/day", 1000, Periods("day"))
SLIDING = Sliding("sliding/1h", 1000, HOUR)
RATE = Rate("rate/1m", 600, 60 * SECOND)


def piece(rule: Rule[Any] = DAILY, size: int = 100, until: int = NOON + SECOND) -> Slice:
    counter = Counter(charge(rule))
    lease = Lease(until)
    one = Slice(counter, size, NOON + 60 * SECOND, lease)
    counter.slices.append(one)
    counter.held += size
    lease.slices.append(one)
    return one


@given(
    exchanges=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 30)), max_size=9),
    open_ones=st.integers(0, 9),
)
def test_what_a_slice_spends_is_what_was_drawn_and_not_given_back(
    exchanges: list[tuple[int, int]], open_ones: int
) -> None:
    one, under_way = piece(), []
    for amount, _ in exchanges:
        served = Served(NOON)
        served.draw(one, amount, amount // 2)
        under_way.append(served)
    ended = list(zip(under_way, exchanges, strict=True))[open_ones:]
    for served, (_, real) in ended:
        served.settle([real])
    still = [amount for amount, _ in exchanges[:open_ones]]
    assert one.reserved == sum(still)
    assert one.kept == sum(amount // 2 for amount in still)
    assert one.spent == sum(still) + sum(real for _, (_, real) in ended)
    assert one.counter.held == one.left == one.size - one.spent
    assert one.lease is not None
    assert one.lease.under_way == bool(one.reserved)


def test_what_is_given_back_of_a_slice_that_serves_no_more_is_not_held() -> None:
    one, served = piece(), Served(NOON)
    served.draw(one, 20, 0)
    assert one.lease is not None
    one.lease.serving = False
    served.settle([5])
    assert (one.left, one.counter.held) == (95, 80)
    one.lease, again = None, Served(NOON)
    again.draw(one, 20, 0)
    again.settle([5])
    assert (one.left, one.counter.held) == (90, 60)


@pytest.mark.parametrize(
    ("rule", "later", "movable"),
    [
        (DAILY, 59 * SECOND, 40),
        (SLIDING, 59 * SECOND, 40),
        (DAILY, 60 * SECOND, 0),
        (SLIDING, 60 * SECOND, 0),
        (RATE, 0, 40),
        (RATE, 57 * SECOND, 30),
        (RATE, 60 * SECOND, 0),
    ],
)
def test_what_can_still_be_given_back_can_be_moved(
    rule: Rule[Any], later: int, movable: int
) -> None:
    one = piece(rule)
    Served(NOON).draw(one, 40, 0)
    assert one.movable(NOON + later) == movable


def test_a_slice_serves_what_it_has_until_its_lease_ends() -> None:
    one = piece()
    counter = one.counter
    assert counter.covering(100, NOON) is one
    assert counter.covering(101, NOON) is None
    assert counter.covering(1, NOON + SECOND) is None
    one.lease = None
    assert counter.covering(1, NOON) is None


def test_only_the_newest_slices_are_looked_through() -> None:
    first = piece(size=100)
    counter = first.counter
    for _ in range(3):
        counter.slices.append(Slice(counter, 5, NOON, Lease(NOON + SECOND)))
    assert counter.covering(50, NOON) is first
    counter.slices.append(Slice(counter, 5, NOON, Lease(NOON + SECOND)))
    assert counter.covering(50, NOON) is None


def test_a_counter_says_what_the_store_said_and_what_is_held() -> None:
    counter = piece().counter
    counter.hear(Level(500, 10 * SECOND), NOON)
    assert counter.level(NOON + SECOND) == Level(600, 9 * SECOND)
    assert counter.level(NOON + 11 * SECOND) == Level(600, 0)
    counter.hear(Level(950, SECOND), NOON)
    assert counter.level(NOON).left == 1000


def test_a_charge_stands_for_later_ones_as_long_as_it_counts_as_long_as_they() -> None:
    assert serves(DAILY, Level(0, 7 * SECOND)) == 7 * SECOND
    assert serves(SLIDING, Level(0, HOUR + SECOND)) == SECOND
    assert serves(RATE, Level(0, SECOND)) is None


def test_what_is_under_way_has_no_slices() -> None:
    assert not divisible(charge(Concurrency("at-once", 1000)))
    assert divisible(charge(Concurrency("at-once", 1000), 0))
    assert all(divisible(charge(rule)) for rule in (DAILY, SLIDING, RATE))


def test_slices_that_serve_few_requests_are_not_worth_it() -> None:
    assert worth(DAILY, 25, 100)
    assert not worth(DAILY, 26, 100)
    assert not worth(DAILY, 0, 100)
    assert worth(Concurrency("present", 1), 0, 0)

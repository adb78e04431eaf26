import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.limits import NEVER, SECOND, Rate

THIRDS = Rate("thirds/1s", max=3, window=SECOND)
NOW = 1_800_000_000 * SECOND
RATES = st.builds(
    Rate,
    st.just("any"),
    st.integers(1, 10**9),
    st.sampled_from([1000, 250_000, SECOND, 60 * SECOND, 86_400 * SECOND, 30 * 86_400 * SECOND]),
)
EXACT = RATES.filter(lambda rate: rate.max**2 <= rate.window)
STEPS = st.lists(st.tuples(st.floats(0, 2), st.floats(0, 1)), min_size=1, max_size=60)
"""Of a window, and of the maximum."""


def fits(rate: Rate, state: int | None, now: int, amount: int) -> bool:
    return rate.level(state, now) + rate.cost(amount) <= rate.capacity


def let_in(rate: Rate, steps: list[tuple[float, float]]) -> list[tuple[int, int]]:
    """When, and how much."""
    state, now, found = None, NOW, []
    for wait, share in steps:
        now += int(wait * rate.window / 8)
        amount = max(1, int(share * rate.max / 4))
        if fits(rate, state, now, amount):
            state = rate.add(state, now, rate.cost(amount))
            found.append((now, amount))
    return found


def test_all_of_it_fits_at_once_in_whole_or_singly() -> None:
    assert fits(THIRDS, None, NOW, 3)
    assert not fits(THIRDS, None, NOW, 4)
    state = None
    for left in (2, 1, 0):
        assert fits(THIRDS, state, NOW, 1)
        state = THIRDS.add(state, NOW, THIRDS.cost(1))
        assert THIRDS.amount(THIRDS.capacity - THIRDS.level(state, NOW)) == left
    assert not fits(THIRDS, state, NOW, 1)


def test_time_not_used_is_not_saved() -> None:
    state = THIRDS.add(None, NOW, THIRDS.cost(1))
    assert THIRDS.add(state, NOW + 100 * SECOND, 7) == NOW + 100 * SECOND + 7


def test_a_clock_that_steps_back_refills_nothing() -> None:
    state = THIRDS.add(None, NOW, THIRDS.cost(3))
    assert THIRDS.level(state, NOW - 5 * SECOND) == 6 * SECOND
    assert THIRDS.wait(state, NOW - 5 * SECOND, THIRDS.cost(1)) > 5 * SECOND


def test_what_is_more_than_there_can_be_never_fits() -> None:
    assert THIRDS.wait(None, NOW, THIRDS.cost(4)) == NEVER - NOW
    assert THIRDS.wait(None, NOW, THIRDS.cost(3)) == 0


@pytest.mark.parametrize(
    ("passed", "given_back"), [(0, 3), (333_333, 2), (1_000_000, 0), (9 * SECOND, 0)]
)
def test_only_what_is_not_refilled_yet_is_given_back(passed: int, given_back: int) -> None:
    cost = THIRDS.cost(3)
    state = THIRDS.add(None, NOW, cost)
    now = NOW + passed
    after = THIRDS.back(state, now, cost, THIRDS.mark(state))
    assert THIRDS.amount(state - after) == given_back
    assert THIRDS.level(after, now) == 0


def test_no_more_is_granted_than_was_taken() -> None:
    state = THIRDS.add(None, NOW, THIRDS.cost(3))
    assert THIRDS.grant(state, NOW, THIRDS.cost(1)) == state - THIRDS.cost(1)
    assert THIRDS.grant(state, NOW, THIRDS.cost(9)) == NOW
    assert THIRDS.grant(state, NOW, None) == NOW
    assert THIRDS.grant(None, NOW, 5) is None


@given(rate=RATES, steps=STEPS)
def test_no_interval_lets_more_in_than_the_burst_and_its_refill(
    rate: Rate, steps: list[tuple[float, float]]
) -> None:
    passed = let_in(rate, steps)
    for first, (early, _) in enumerate(passed):
        total = 0
        for late, amount in passed[first:]:
            total += amount
            assert total < rate.max * (1 + (late - early) / rate.window) + 1


@given(rate=EXACT)
def test_a_burst_of_single_charges_fits_whole(rate: Rate) -> None:
    """Summed, since a million of them would take their time."""
    assert rate.max * rate.cost(1) <= rate.capacity
    assert rate.cost(rate.max + 1) > rate.capacity


@given(rate=RATES)
def test_a_burst_fits_in_one_charge_and_not_more(rate: Rate) -> None:
    assert fits(rate, None, NOW, rate.max)
    assert (
        rate.max + 1
        <= rate.amount(rate.cost(rate.max + 1))
        <= rate.max + 2 + rate.max // rate.window
    )
    if rate.max <= rate.window:
        assert not fits(rate, None, NOW, rate.max + 1)


@given(rate=RATES, level=st.floats(0, 3), amount=st.floats(0, 1))
def test_waiting_as_long_as_told_is_just_enough(rate: Rate, level: float, amount: float) -> None:
    state, asked = NOW + int(level * rate.window), int(amount * rate.max)
    wait = rate.wait(state, NOW, rate.cost(asked))
    assert fits(rate, state, NOW + wait, asked)
    assert wait == 0 or not fits(rate, state, NOW + wait - 1, asked)


@given(rate=RATES, data=st.data())
def test_giving_back_never_leaves_less_than_if_it_had_never_been_charged(
    rate: Rate, data: st.DataObject
) -> None:
    costs = st.integers(0, 2 * rate.window)
    before = data.draw(st.one_of(st.none(), costs.map(lambda ahead: NOW + ahead)))
    cost, kept = sorted((data.draw(costs), data.draw(costs)), reverse=True)
    with_it, without = rate.add(before, NOW, cost), rate.add(before, NOW, kept)
    mark, now = rate.mark(with_it), NOW
    for step, other in data.draw(st.lists(st.tuples(costs, costs), max_size=8)):
        now += step
        with_it, without = rate.add(with_it, now, other), rate.add(without, now, other)
    after = rate.back(with_it, now, cost - kept, mark)
    assert rate.level(after, now) >= rate.level(without, now)
    assert after <= with_it
    if now == NOW:
        assert after == without


@given(
    rate=RATES, state=st.integers(NOW, NOW + 10**12), steps=st.lists(st.integers(-(10**9), 10**9))
)
def test_it_says_the_same_as_a_new_one_once_it_is_idle(
    rate: Rate, state: int, steps: list[int]
) -> None:
    now = rate.idle(state)
    assert rate.level(state, now) == rate.level(None, now) == 0
    assert rate.add(state, now, 5) == rate.add(None, now, 5)

from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from extproc.limits import NEVER, SECOND, Calendar, Periods
from extproc.limits.calendar import packed

HOUR = 3600 * SECOND
DAY = 24 * HOUR
TODAY = 1_800_000_000 * SECOND // DAY * DAY
DAILY = Calendar("daily/day", 10, Periods("day"))
ONCE = Calendar("once/lifetime", 10, Periods("lifetime"))
CALENDARS = st.builds(
    Calendar,
    st.just("any"),
    st.integers(1, 10**15),
    st.builds(
        Periods,
        st.sampled_from(["hour", "day", "month", "lifetime"]),
        st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"]).map(ZoneInfo),
    ),
)


def fits(rule: Calendar, state: int | None, now: int, amount: int) -> bool:
    return rule.level(state, now) + rule.cost(amount) <= rule.capacity


@given(
    rule=CALENDARS,
    steps=st.lists(st.tuples(st.integers(0, 40 * DAY), st.floats(0, 1)), min_size=1, max_size=60),
    short=st.sampled_from([1, 100, 10_000]),
)
def test_no_period_lets_more_in_than_the_maximum(
    rule: Calendar, steps: list[tuple[int, float]], short: int
) -> None:
    state, now, passed = None, TODAY, dict[int, int]()
    for step, share in steps:
        now += step // short
        amount = int(share * rule.max)
        if fits(rule, state, now, amount):
            state = rule.add(state, now, amount)
            period = rule.periods.end(now)
            passed[period] = passed.get(period, 0) + amount
    assert all(amount <= rule.max for amount in passed.values())


@given(times=st.lists(st.integers(TODAY, TODAY + 5 * DAY), min_size=1, max_size=60))
def test_however_the_clock_is_set_no_period_is_begun_twice(times: list[int]) -> None:
    state, passed = None, 0
    for now in times:
        if fits(DAILY, state, now, 10):
            state = DAILY.add(state, now, 10)
            passed += 1
    assert passed <= 1 + (max(times) - times[0]) // DAY + 1


def test_a_period_begins_with_nothing_spent() -> None:
    state = DAILY.add(None, TODAY, 10)
    assert DAILY.level(state, TODAY + DAY - 1) == 10
    assert DAILY.level(state, TODAY + DAY) == DAILY.level(None, TODAY) == 0
    assert DAILY.level(DAILY.add(state, TODAY + DAY, 3), TODAY + DAY) == 3


def test_waiting_is_for_the_end_of_the_period() -> None:
    state = DAILY.add(None, TODAY, 7)
    assert DAILY.wait(state, TODAY + HOUR, 3) == 0
    assert DAILY.wait(state, TODAY + HOUR, 4) == DAY - HOUR
    assert DAILY.wait(state, TODAY + HOUR, 11) == NEVER - TODAY - HOUR
    assert DAILY.wait(None, TODAY, 11) == NEVER - TODAY
    assert ONCE.wait(ONCE.add(None, TODAY, 10), TODAY, 1) == NEVER - TODAY


def test_a_lifetime_has_no_other() -> None:
    state = ONCE.add(None, TODAY, 10)
    assert ONCE.level(state, TODAY + 50 * 365 * DAY) == 10
    assert ONCE.idle(state) == NEVER


def test_what_is_given_back_is_so_in_its_own_period() -> None:
    state = DAILY.add(None, TODAY, 7)
    mark = DAILY.mark(state)
    assert DAILY.level(DAILY.back(state, TODAY, 5, mark), TODAY) == 2
    tomorrow = DAILY.add(state, TODAY + DAY, 6)
    assert DAILY.back(tomorrow, TODAY + DAY, 5, mark) == tomorrow


def test_a_grant_is_of_the_period_that_is_running() -> None:
    state = DAILY.grant(DAILY.add(None, TODAY, 7), TODAY, 10)
    assert DAILY.level(state, TODAY) == -3
    assert DAILY.level(DAILY.grant(state, TODAY, None), TODAY) == -3
    assert DAILY.level(DAILY.grant(DAILY.add(state, TODAY, 8), TODAY, None), TODAY) == 0
    assert DAILY.level(DAILY.grant(None, TODAY, None), TODAY) == 0
    assert DAILY.level(DAILY.grant(None, TODAY, 4), TODAY) == -4
    assert DAILY.level(DAILY.grant(state, TODAY + DAY, 1), TODAY + DAY) == -1


@given(
    end=st.integers(0, NEVER),
    spent=st.lists(st.integers(-(1 << 80), 1 << 80), min_size=1, max_size=9),
)
def test_nothing_overflows(end: int, spent: list[int]) -> None:
    state = packed(end, spent[0])
    assert DAILY.mark(state) == DAILY.idle(state) == end
    for cost in spent[1:]:
        state = DAILY.add(state, end - 1, cost)
    assert DAILY.level(state, end - 1) == sum(spent)
    assert DAILY.mark(state) == end
    assert DAILY.level(state, end) == 0


def test_the_unit_is_what_is_counted() -> None:
    assert DAILY.cost(3) == DAILY.amount(3) == 3
    assert DAILY.capacity == 10

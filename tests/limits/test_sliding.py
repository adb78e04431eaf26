import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.limits import NEVER, SECOND, Sliding
from extproc.limits.sliding import PARTS, packed

HOUR = 3600 * SECOND
HOURLY = Sliding("hourly/1h", max=10, window=HOUR)
NOW = 1_800_000_000 * SECOND // HOUR * HOUR
LIMITS = st.builds(
    Sliding,
    st.just("any"),
    st.integers(1, 10**12),
    st.sampled_from([SECOND, 1_234_567, HOUR, 24 * HOUR, 30 * 24 * HOUR]),
)
STEPS = st.lists(st.tuples(st.floats(0, 1.5), st.floats(0, 1)), min_size=1, max_size=60)
"""Of a window, and of the maximum."""


def fits(rule: Sliding, state: bytes | None, now: int, amount: int) -> bool:
    return rule.level(state, now) + rule.cost(amount) <= rule.capacity


@given(rule=LIMITS, steps=STEPS, backwards=st.booleans())
def test_no_window_whatever_holds_more_than_the_maximum(
    rule: Sliding, steps: list[tuple[float, float]], backwards: bool
) -> None:
    """By the highest that the clock has said so far, where it steps back."""
    state, now, latest, passed = None, NOW, 0, []
    for wait, share in steps:
        now += int(wait * rule.window / 4)
        amount = max(1, int(share * rule.max / 2))
        told = now - rule.window // 3 if backwards and amount % 2 else now
        latest = max(latest, told)
        if fits(rule, state, told, amount):
            state = rule.add(state, told, rule.cost(amount))
            passed.append((latest, amount))
    for end, _ in passed:
        assert sum(n for when, n in passed if end - rule.window <= when <= end) <= rule.max


@given(rule=LIMITS, steps=STEPS)
def test_what_counts_is_what_the_last_nine_eighths_hold(
    rule: Sliding, steps: list[tuple[float, float]]
) -> None:
    state, now, all_of_it = None, NOW, []
    for wait, share in steps:
        now += int(wait * rule.window / 4)
        state = rule.add(state, now, int(share * rule.max))
        all_of_it.append((now, int(share * rule.max)))
        oldest = (now // rule.part - PARTS) * rule.part
        assert rule.level(state, now) == sum(n for when, n in all_of_it if when >= oldest)


@given(rule=LIMITS, steps=STEPS)
def test_it_knows_since_when_what_counts_was_spent(
    rule: Sliding, steps: list[tuple[float, float]]
) -> None:
    state, now, passed = None, NOW, []
    for wait, share in steps:
        now += int(wait * rule.window / 4)
        amount = int(share * rule.max)
        state = rule.add(state, now, amount)
        passed += [now] if amount else []
        oldest = (now // rule.part - PARTS) * rule.part
        counted = [when for when in passed if when >= oldest]
        age = rule.age(state, now)
        if counted:
            assert now - counted[0] <= age < now - counted[0] + rule.part
        else:
            assert age < rule.part


@given(rule=LIMITS, steps=STEPS, amount=st.floats(0, 1))
def test_waiting_as_long_as_told_is_just_enough(
    rule: Sliding, steps: list[tuple[float, float]], amount: float
) -> None:
    state, now = None, NOW
    for wait, share in steps:
        now += int(wait * rule.window / 4)
        state = rule.add(state, now, int(share * rule.max / 2))
    asked = int(amount * rule.max)
    wait = rule.wait(state, now, asked)
    assert fits(rule, state, now + wait, asked)
    assert wait == 0 or not fits(rule, state, now + wait - 1, asked)


def test_what_is_more_than_there_can_be_never_fits() -> None:
    assert HOURLY.wait(None, NOW, 11) == NEVER - NOW
    assert HOURLY.wait(None, NOW, 10) == 0


def test_eighths_are_never_too_short() -> None:
    odd = Sliding("odd", 1, 15)
    assert odd.part == 2
    assert not fits(odd, odd.add(None, 1, 1), 1 + 15, 1)


def test_what_is_given_back_is_so_in_the_part_that_it_was_taken_from() -> None:
    state = HOURLY.add(None, NOW, 6)
    mark = HOURLY.mark(state)
    later = NOW + HOUR // 2
    state = HOURLY.add(state, later, 3)
    state = HOURLY.back(state, later, 4, mark)
    assert HOURLY.level(state, later) == 5
    gone = NOW + 9 * HOUR // 8
    assert HOURLY.level(state, gone) == 3
    assert HOURLY.back(state, gone, 4, mark) == HOURLY.add(state, gone, 0)


def test_a_grant_counts_as_long_as_what_is_spent_now() -> None:
    state = HOURLY.add(None, NOW, 10)
    later = NOW + HOUR // 2
    granted = HOURLY.grant(state, later, 4)
    assert HOURLY.level(granted, later) == 6
    assert HOURLY.level(granted, NOW + 9 * HOUR // 8) == -4
    assert HOURLY.level(granted, later + 9 * HOUR // 8) == 0
    assert HOURLY.level(HOURLY.grant(None, NOW, 4), NOW) == -4


def test_a_reset_gives_all_that_was_spent_and_keeps_what_was_granted() -> None:
    state = HOURLY.grant(HOURLY.add(None, NOW, 10), NOW + HOUR // 2, 12)
    state = HOURLY.grant(state, NOW + HOUR // 2, None)
    assert HOURLY.level(state, NOW + HOUR // 2) == -12
    assert HOURLY.level(HOURLY.grant(None, NOW, None), NOW) == 0


@pytest.mark.parametrize("amount", [1 << 62, 1 << 70])
def test_what_no_counter_can_hold_is_counted_as_more_than_any_has(amount: int) -> None:
    state = HOURLY.add(HOURLY.add(None, NOW, amount), NOW, amount)
    assert HOURLY.level(state, NOW) == 1 << 62


@given(
    newest=st.integers(1, 1 << 52),
    spent=st.lists(st.integers(-(1 << 52), 1 << 52), min_size=PARTS + 1, max_size=PARTS + 1),
)
def test_states_hold_what_is_packed_and_little_where_that_is_little(
    newest: int, spent: list[int]
) -> None:
    state = packed(newest, spent)
    assert HOURLY.mark(state) == newest
    now = newest * HOURLY.part
    assert HOURLY.level(state, now) == sum(spent)
    for gone in range(PARTS + 1):
        assert HOURLY.level(state, now + gone * HOURLY.part) == sum(spent[: PARTS + 1 - gone])
    assert len(packed(newest, [7] + [0] * PARTS)) == 9


@given(rule=LIMITS, steps=STEPS)
def test_it_says_the_same_as_a_new_one_once_it_is_idle(
    rule: Sliding, steps: list[tuple[float, float]]
) -> None:
    state = rule.add(None, NOW, 0)
    for wait, share in steps:
        state = rule.add(state, NOW + int(wait * rule.window), int(share * rule.max))
    now = rule.idle(state)
    assert rule.add(state, now, 5) == rule.add(None, now, 5)

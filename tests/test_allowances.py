from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from extproc.allowances import HOUR, Allowances

BEGINNING = 1_700_000_000.0


def test_no_more_than_so_many_callers_are_put_on_a_step_in_an_hour() -> None:
    allowances = Allowances()
    found = [allowances.take("partner", 3, f"{number}", BEGINNING + number) for number in range(5)]
    assert found == [True] * 3 + [False] * 2
    assert allowances.held_back == 2
    assert allowances.take("partner", 3, "later", BEGINNING + 2 * HOUR)


def test_each_policy_has_its_own_and_one_without_a_bound_has_none() -> None:
    allowances = Allowances()
    assert [allowances.take(policy, 1, "a", BEGINNING) for policy in ("one", "one", "two")] == [
        True,
        False,
        True,
    ]
    assert all(allowances.take("one", 0, "a", BEGINNING) for _ in range(100))


@given(st.integers(1, 4), st.lists(st.floats(-600.0, 3000.0), min_size=1, max_size=60))
def test_law_the_bound_holds_over_any_hour(hourly: int, pauses: Any) -> None:
    allowances, now = Allowances(), BEGINNING
    put, latest = [], BEGINNING
    for pause in pauses:
        now += pause
        latest = max(latest, now)
        if allowances.take("partner", hourly, "a", now):
            put.append(latest)  # as long as it has been, at least, whatever the clock says
    for start in put:
        assert sum(start <= each < start + HOUR for each in put) <= hourly

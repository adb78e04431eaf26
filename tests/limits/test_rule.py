from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.limits import (
    SECOND,
    Calendar,
    Concurrency,
    Periods,
    Rate,
    Rule,
    Sliding,
    microseconds,
)

NOW = 1_800_000_000 * SECOND
RULES: tuple[Rule[Any], ...] = (
    Rate("rate", 7, SECOND),
    Calendar("calendar", 7, Periods("day")),
    Sliding("sliding", 7, 3600 * SECOND),
    Concurrency("concurrency", 7),
)

rules = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


@pytest.mark.parametrize(
    ("seconds", "whole"),
    [(0.0, 0), (0.1, 100_000), (1e-6, 1), (1.4e-6, 1), (86_400, 86_400_000_000)],
)
def test_seconds_are_whole_microseconds(seconds: float, whole: int) -> None:
    assert microseconds(seconds) == whole


@rules
@given(costs=st.lists(st.integers(0, 9), max_size=9))
def test_what_is_counted_at_one_time_adds_up(rule: Rule[Any], costs: list[int]) -> None:
    state = None
    for cost in costs:
        state = rule.add(state, NOW, cost)
    assert rule.level(state, NOW) == sum(costs)


@rules
@given(
    steps=st.lists(st.tuples(st.integers(0, 10**10), st.integers(1, 7)), min_size=1), back=st.data()
)
def test_a_level_is_never_lower_at_an_earlier_time(
    rule: Rule[Any], steps: list[tuple[int, int]], back: st.DataObject
) -> None:
    """So that a clock that steps back lets nothing in that it did not before."""
    state, now = None, NOW
    for step, cost in steps:
        now += step
        state = rule.add(state, now, cost)
    earlier = back.draw(st.integers(0, now))
    assert rule.level(state, earlier) >= rule.level(state, now)
    assert rule.wait(state, earlier, 1) >= rule.wait(state, now, 1)


@rules
@given(amounts=st.lists(st.integers(0, 50), min_size=2, max_size=2))
def test_more_costs_more(rule: Rule[Any], amounts: list[int]) -> None:
    less, more = sorted(amounts)
    assert rule.cost(less) <= rule.cost(more)
    assert rule.amount(rule.cost(more)) >= more
    assert rule.amount(rule.capacity) == rule.max

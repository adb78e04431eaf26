"""Who is called when, on a clock that a test moves."""

import asyncio
import time
from collections.abc import Callable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from extproc.server.alarms import TURN, Alarms
from tests.server.timers import Timers


def test_who_is_due_is_called_in_order_and_once() -> None:
    timers, called = Timers(), list[int]()
    for number in (3, 1, 2, 1):
        timers.alarms.at(timers.now + number, lambda number=number: called.append(number))  # type: ignore[misc]
    timers.advance(0.999)
    assert called == []
    timers.advance(1.001)
    assert called == [1, 1, 2]
    timers.advance(10)
    assert called == [1, 1, 2, 3]


@given(delays=st.lists(st.floats(0, 10), max_size=30), steps=st.lists(st.floats(0, 4), max_size=9))
def test_nobody_is_called_before_its_instant_or_forgotten(
    delays: list[float], steps: list[float]
) -> None:
    timers, late = Timers(), list[float]()
    for delay in delays:
        instant = timers.now + delay
        timers.alarms.at(instant, lambda instant=instant: late.append(timers.now - instant))  # type: ignore[misc]
    for step in [*steps, 11.0]:
        timers.advance(step)
    assert len(late) == len(delays)
    assert all(seconds >= 0 for seconds in late)


def test_one_timer_of_the_loop_serves_all() -> None:
    timers = Timers()
    for delay in (5, 4, 6, 3, 7):
        timers.alarms.at(timers.now + delay, lambda: None)
    assert len(timers.set) == 1
    assert timers.set[0].at == timers.now + 3


def test_a_timer_that_goes_off_too_early_calls_nobody() -> None:
    """Those of the loop count whole thousandths."""
    timers, called = Timers(), list[float]()
    timers.alarms.at(timers.now + 1, lambda: called.append(timers.now))
    early = timers.set.pop()
    timers.now += 0.9995
    early.callback()
    assert called == []
    timers.advance(0.001)
    assert len(called) == 1


def test_who_was_cancelled_is_not_called() -> None:
    timers, called = Timers(), list[str]()
    timers.alarms.at(timers.now + 1, lambda: called.append("kept"))
    timers.alarms.at(timers.now + 1, lambda: called.append("lost")).cancel()
    timers.advance(2)
    assert called == ["kept"]


def test_who_calls_again_is_called_again() -> None:
    timers, called = Timers(), list[float]()

    def again() -> None:
        called.append(timers.now)
        if len(called) < 4:
            timers.alarms.at(timers.now + 1, again)

    timers.alarms.at(timers.now + 1, again)
    for _ in range(5):
        timers.advance(1)
    assert [later - earlier for earlier, later in pairwise(called)] == [1, 1, 1]


def test_no_turn_is_taken_for_longer_than_agreed() -> None:
    """A thousand that are due at once leave others their turn in between."""
    timers, called = Timers(), list[float]()

    def work() -> None:
        timers.now += TURN / 10
        called.append(timers.now)

    due = timers.now + 1
    for _ in range(100):
        timers.alarms.at(due, work)
    timers.now = due
    counts = []
    while timers.set:
        before = len(called)
        timers.set.pop().callback()
        counts.append(len(called) - before)
    assert sum(counts) == 100
    assert max(counts) <= 11


async def test_the_loops_own_timers_serve() -> None:
    alarms, rung = Alarms(), asyncio.get_running_loop().create_future()
    instant = time.monotonic() + 0.02
    alarms.at(instant + 5, lambda: None).cancel()
    alarms.at(instant, lambda: rung.set_result(time.monotonic()))
    assert await asyncio.wait_for(rung, 10) >= instant


def test_the_clock_is_the_one_that_was_given() -> None:
    clock: Callable[[], float] = lambda: 7.0  # noqa: E731 - as short as it is
    assert Alarms(clock).clock() == 7.0

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.limits import SECOND, Calendar, Concurrency, Periods, Rate, Sliding
from extproc.stores.redis import states
from extproc.stores.redis.states import kind_of, state_of

NOW = 1_800_000_000 * SECOND
DAILY = Calendar("daily", 10, Periods("day", ZoneInfo("Europe/Berlin")))
SLIDING = Sliding("sliding", 10, 80 * SECOND)


def test_each_kind_has_its_letter_and_parameters() -> None:
    assert kind_of(Rate("r", 1, SECOND), NOW) == (b"r", 0, 0, 0)
    assert kind_of(Concurrency("n", 1), NOW) == (b"n", 0, 0, 0)
    assert kind_of(SLIDING, NOW) == (b"s", 10 * SECOND, 0, 0)
    assert kind_of(DAILY, NOW) == (b"c", *DAILY.periods.ends(NOW))


@given(st.integers(0, 400 * 86_400 * SECOND), st.integers(0, 400 * 86_400 * SECOND))
def test_the_ends_of_a_period_are_those_of_the_time_that_is_asked_for(one: int, other: int) -> None:
    for now in (NOW + one, NOW + other, NOW + one):
        assert kind_of(DAILY, now)[1:] == DAILY.periods.ends(now)


def test_periods_of_policies_that_are_gone_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "_KEPT", 2)
    for _ in range(5):
        kind_of(Calendar("daily", 10, Periods("day")), NOW)
    assert len(states._PERIODS) <= 2


def test_a_text_is_read_as_the_state_of_its_rule() -> None:
    assert state_of(DAILY, b"") is None
    assert state_of(Rate("r", 1, SECOND), b"r123") == 123
    assert state_of(Concurrency("n", 1), b"n3") == 3
    end = DAILY.periods.end(NOW)
    assert state_of(DAILY, b"c%d -4" % end) == DAILY.add(None, NOW, -4)
    newest = NOW // SLIDING.part
    text = b"s%d %d 7 0 0 0 0 0 0 0 0" % (SLIDING.part, newest)
    assert state_of(SLIDING, text) == SLIDING.add(None, NOW, 7)

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given
from hypothesis import strategies as st

from extproc.limits import NEVER, SECOND, Periods

HOUR = 3600
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",  # set its clocks at 00:01, until 2011: midnight was shown twice
    "America/Havana",  # repeats the hour after midnight
    "America/Sao_Paulo",  # had days that began at 01:00
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Australia/Lord_Howe",  # sets its clocks by half an hour
    "Pacific/Apia",  # left out a day
    "Africa/Monrovia",  # was 44 minutes and 30 seconds off until 1972
]
KINDS: tuple[Any, ...] = ("hour", "day", "month", "lifetime")
zones = st.one_of(st.sampled_from(ZONES), st.sampled_from(sorted(available_timezones())))
periods = st.builds(Periods, st.sampled_from(KINDS), zones.map(ZoneInfo))
moments = st.integers(0, 4_000_000_000 * SECOND)


def at(zone: str, *moment: int, fold: int = 0) -> int:
    local = datetime(*moment, tzinfo=ZoneInfo(zone), fold=fold)  # type: ignore[arg-type,misc]
    return round(local.timestamp()) * SECOND


def shown(zone: str, moment: int) -> str:
    return datetime.fromtimestamp(moment // SECOND, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")


def ends(kind: Any, zone: str, start: int, count: int) -> list[int]:
    """The ends of so many periods, one after another."""
    of, found = Periods(kind, ZoneInfo(zone)), [start]
    for _ in range(count):
        found.append(of.end(found[-1]))
    return found[1:]


def hours(kind: Any, zone: str, start: int, count: int) -> list[float]:
    """How long periods are, the first from its start."""
    return [
        (late - early) / HOUR / SECOND
        for early, late in pairwise([start, *ends(kind, zone, start, count)])
    ]


def test_days_are_of_the_zone() -> None:
    now = at("UTC", 2026, 7, 1, 23, 30)
    assert Periods("day").end(now) == at("UTC", 2026, 7, 2)
    assert Periods("day", ZoneInfo("Europe/Berlin")).end(now) == at("Europe/Berlin", 2026, 7, 3)
    assert Periods("day", timezone(timedelta(hours=-8))).end(now) == at("UTC", 2026, 7, 2, 8)


def test_months_have_their_days_and_leap_years_theirs() -> None:
    lengths = hours("month", "UTC", at("UTC", 2027, 1, 1), 14)
    assert [length / 24 for length in lengths] == [
        31,
        28,
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
        31,
        29,
    ]
    assert Periods("month").end(at("UTC", 2100, 2, 28, 23, 59, 59)) == at("UTC", 2100, 3, 1)


def test_a_day_on_which_clocks_are_set_is_shorter_or_longer() -> None:
    assert hours("day", "Europe/Berlin", at("Europe/Berlin", 2026, 3, 28), 3) == [24, 23, 24]
    assert hours("day", "Europe/Berlin", at("Europe/Berlin", 2026, 10, 24), 3) == [24, 25, 24]


def test_of_an_hour_that_is_repeated_each_time_is_one() -> None:
    start = at("Europe/Berlin", 2026, 10, 25, 1)
    assert hours("hour", "Europe/Berlin", start, 4) == [1, 1, 1, 1]
    assert [
        shown("Europe/Berlin", end)[11:13] for end in ends("hour", "Europe/Berlin", start, 4)
    ] == [
        "02",
        "02",
        "03",
        "04",
    ]


def test_hours_are_those_that_the_clock_shows() -> None:
    assert shown("Asia/Kathmandu", ends("hour", "Asia/Kathmandu", at("UTC", 2026, 1, 1), 1)[0]) == (
        "2026-01-01 06:00:00"
    )
    half = at("Australia/Lord_Howe", 2026, 4, 5, 1)
    assert hours("hour", "Australia/Lord_Howe", half, 3) == [1, 0.5, 1]
    half = at("Australia/Lord_Howe", 2026, 10, 4, 1)
    assert hours("hour", "Australia/Lord_Howe", half, 3) == [1, 0.5, 1]


def test_a_clock_that_is_set_within_an_hour_cuts_it() -> None:
    """Monrovia went from 44 minutes and 30 seconds behind to none on 1972-01-07."""
    set_at = at("UTC", 1972, 1, 7, 0, 44, 30)
    zone = "Africa/Monrovia"
    assert ends("hour", zone, set_at - SECOND, 2) == [set_at, at("UTC", 1972, 1, 7, 1)]
    assert ends("hour", zone, set_at, 1) == [at("UTC", 1972, 1, 7, 1)]
    start = at("America/St_Johns", 2009, 11, 1)
    lengths = hours("hour", "America/St_Johns", start, 3)
    assert [round(length * 60) for length in lengths] == [1, 59, 60]


def test_a_day_that_is_left_out_has_no_period() -> None:
    start = at("Pacific/Apia", 2011, 12, 29)
    days = ends("day", "Pacific/Apia", start, 2)
    assert [shown("Pacific/Apia", end)[:10] for end in days] == ["2011-12-31", "2012-01-01"]


def test_a_day_without_midnight_begins_when_the_one_before_is_over() -> None:
    start = at("America/Sao_Paulo", 2018, 11, 3)
    first, second = ends("day", "America/Sao_Paulo", start, 2)
    assert shown("America/Sao_Paulo", first) == "2018-11-04 01:00:00"
    assert second - first == 23 * HOUR * SECOND


def test_a_midnight_that_is_shown_twice_begins_one_day() -> None:
    """And that of a month: clocks were set back from 00:01 on the first of November 2009."""
    start = at("America/St_Johns", 2009, 10, 31)
    again = at("America/St_Johns", 2009, 10, 31, 23, 30)
    assert shown("America/St_Johns", again + HOUR * SECOND).startswith("2009-10-31 23:30")
    for kind in KINDS[1:3]:
        of = Periods(kind, ZoneInfo("America/St_Johns"))
        first = of.end(start)
        assert shown("America/St_Johns", first) == "2009-11-01 00:00:00"
        assert of.end(again) == first
        assert of.end(again + HOUR * SECOND) == of.end(first)


class Leap(tzinfo):
    """A clock that is set from 23:30 to 00:30, at 23:30 UTC on the last of June 2026."""

    AT = datetime(2026, 6, 30, 23, 30)  # noqa: DTZ001 - a tzinfo is what it is asked as

    def utcoffset(self, dt: datetime | None) -> timedelta:
        assert dt is not None
        local = dt.replace(tzinfo=None)
        return timedelta(hours=local >= self.AT + timedelta(hours=1))

    def dst(self, dt: datetime | None) -> None:
        return None

    def tzname(self, dt: datetime | None) -> str:
        return "leap"

    def fromutc(self, dt: datetime) -> datetime:
        return dt + timedelta(hours=dt.replace(tzinfo=None) >= self.AT)


def test_a_clock_that_is_set_over_midnight_begins_the_day_when_the_one_before_is_over() -> None:
    start = at("UTC", 2026, 6, 30)
    for kind in KINDS[1:3]:
        of = Periods(kind, Leap())
        end = at("UTC", 2026, 7, 1)
        for inside in (start, at("UTC", 2026, 6, 30, 23, 30), end - SECOND):
            assert of.ends(inside)[1] == end
        assert of.end(end) > end


def test_a_lifetime_ends_never() -> None:
    assert Periods("lifetime").ends(at("UTC", 2026, 6, 30)) == (0, NEVER, NEVER)


@given(of=periods, now=moments)
def test_every_moment_is_in_one_period(of: Periods, now: int) -> None:
    start, end, further = of.ends(now)
    assert start <= now < end
    assert of.end(now) == end
    assert end < further or of.period == "lifetime"
    for inside in (start, now, end - 1, (start + end) // 2):
        assert Periods(of.period, of.zone).ends(inside) == (start, end, further)


@given(of=periods, now=moments)
def test_periods_begin_where_the_clock_says_so(of: Periods, now: int) -> None:
    local = datetime.fromtimestamp(of.end(now) // SECOND, of.zone)
    if of.period == "lifetime":
        assert of.end(now) == NEVER
    elif of.period != "hour" and (local.hour, local.minute) != (0, 0):
        before = (local.astimezone(UTC) - timedelta(seconds=1)).astimezone(of.zone)
        assert before.date() < local.date()


@given(of=periods, times=st.lists(moments, min_size=1, max_size=20))
def test_what_was_asked_before_changes_no_answer(of: Periods, times: list[int]) -> None:
    for now in times:
        assert of.end(now) == Periods(of.period, of.zone).end(now)

import math
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from extproc.detectors.evidence import suspicion
from extproc.escalation import (
    NOBODY,
    Case,
    Judged,
    Ladder,
    Step,
    current,
    forgiven,
    judged,
    overridden,
    standing,
)
from extproc.limits import Concurrency, Limit
from extproc.limits.exhaustion import DENY, Lower

THRESHOLD = 10.0
"""Nats at which suspicion is 0.9."""
BEGINNING = 1_700_000_000.0


def step(above: float, seconds: float, name: str) -> Step:
    action = Lower("coarse") if name == "fidelity" else DENY
    limit = Limit(Concurrency(f"suspicion:{name}", 1), "concurrent", exhausted=action)
    return Step(above, seconds, limit, name)


LADDER = Ladder(
    (step(0.7, 3600.0, "fidelity"), step(0.9, 1800.0, "challenge"), step(0.99, 86_400.0, "deny"))
)


def nats(doubt: float) -> float:
    """Evidence of which that suspicion is made."""
    return -math.log10(1.0 - doubt) * THRESHOLD


def at(doubt: float, now: float = BEGINNING, case: Case = NOBODY, ladder: Ladder = LADDER) -> Case:
    return judged(ladder, case, nats(doubt), THRESHOLD, now).case


def names(case: Case, now: float, ladder: Ladder = LADDER) -> list[str]:
    return [met.step.name for met in standing(ladder, case, now)]


@pytest.mark.parametrize(
    ("doubt", "stands"),
    [
        (0.0, []),
        (0.69, []),
        (0.71, ["fidelity"]),
        (0.91, ["fidelity", "challenge"]),
        (0.991, ["fidelity", "challenge", "deny"]),
    ],
)
def test_a_caller_climbs_as_high_as_its_suspicion_reaches_and_stands_on_all_below(
    doubt: float, stands: list[str]
) -> None:
    assert names(at(doubt), BEGINNING) == stands


def test_nothing_is_known_against_whom_nothing_speaks() -> None:
    for evidence in (-math.inf, -3.0, 0.0, math.nan):
        assert judged(LADDER, NOBODY, evidence, THRESHOLD, BEGINNING) == Judged(NOBODY)


def test_a_step_is_held_though_suspicion_falls_and_ends_by_itself() -> None:
    case = at(0.75)
    held = at(0.0, BEGINNING + 3599.0, case)
    assert names(held, BEGINNING + 3599.0) == ["fidelity"]
    assert names(held, BEGINNING + 3600.0) == []
    assert at(0.0, BEGINNING + 3600.0, held).step == -1


def test_each_step_has_its_own_time_and_below_it_stays_what_was_to_last_longer() -> None:
    case = at(0.95)
    assert names(case, BEGINNING + 1799.0) == ["fidelity", "challenge"]
    after = judged(LADDER, case, nats(0.95), THRESHOLD, BEGINNING + 1800.0)
    assert (after.change, after.case.step) == ("descended", 0)
    assert names(after.case, BEGINNING + 1800.0) == ["fidelity"]
    assert after.case.until == BEGINNING + 3600.0


def test_what_a_caller_has_stood_on_a_step_for_does_not_put_it_there_again() -> None:
    now, case = BEGINNING, at(0.75)
    for _ in range(5):
        now += 3600.0
        case = at(0.75, now, case)
        assert (case.step, case.suspicion) == (-1, 0.0)
    again = judged(LADDER, case, nats(0.75) + nats(0.71), THRESHOLD, now)
    assert (again.change, again.case.step) == ("climbed", 0)


def test_what_came_while_it_stood_there_counts_when_it_has_left() -> None:
    case = at(0.75)
    more = nats(0.75) + nats(0.71)
    held = judged(LADDER, case, more, THRESHOLD, BEGINNING + 10.0).case
    assert held.step == 1  # 0.9 and more, of all that is known
    after = judged(LADDER, held, more + nats(0.71), THRESHOLD, BEGINNING + 10.0 + 3600.0)
    assert (after.change, after.case.step) == ("climbed", 0)


def test_evidence_that_has_decayed_is_not_owed() -> None:
    case = at(0.75)
    now = BEGINNING + 3600.0
    case = judged(LADDER, case, 0.5, THRESHOLD, now).case
    assert case.spent == 0.5
    assert judged(LADDER, case, 0.5 + nats(0.71), THRESHOLD, now).change == "climbed"


def test_an_operator_forgives_all_there_is_and_not_what_comes() -> None:
    case = forgiven(at(0.999), nats(0.999))
    assert names(case, BEGINNING) == []
    assert at(0.999, BEGINNING, case).step == -1
    later = judged(LADDER, case, nats(0.999) + nats(0.75), THRESHOLD, BEGINNING)
    assert later.case.step == 0


def test_whom_an_operator_trusts_stands_on_no_step_and_owes_nothing_afterwards() -> None:
    trusted = overridden(at(0.75), "trusted")
    assert names(trusted, BEGINNING) == []
    after = judged(LADDER, trusted, nats(0.999), THRESHOLD, BEGINNING)
    assert (after.change, after.case.step) == ("descended", -1)
    assert judged(LADDER, after.case, nats(0.999), THRESHOLD, BEGINNING).change == ""
    again = overridden(after.case, "")
    assert at(0.999, BEGINNING, again).step == -1


def test_the_frozen_keep_where_they_stand() -> None:
    frozen = overridden(at(0.75), "frozen")
    assert (frozen.override, frozen.step) == ("frozen", 0)


def test_exempt_callers_have_no_steps_to_stand_on() -> None:
    assert judged(Ladder(), NOBODY, 1e9, THRESHOLD, BEGINNING).change == ""
    assert standing(Ladder(), at(0.999), BEGINNING) == ()
    assert at(0.999, BEGINNING, at(0.999), Ladder()).step == -1


def test_those_of_whom_nothing_is_known_since_it_was_lost_are_met_so_for_a_time() -> None:
    ladder = replace(LADDER, lost=step(0.0, 60.0, "fidelity"))
    case = Case(lost=BEGINNING + 60.0)
    (met,) = standing(ladder, case, BEGINNING)
    assert (met.step, met.left) == (ladder.lost, 60.0)
    assert standing(ladder, case, BEGINNING + 60.0) == ()
    assert standing(LADDER, case, BEGINNING) == ()
    assert names(at(0.95, BEGINNING, case, ladder), BEGINNING, ladder)[1:] == [
        "fidelity",
        "challenge",
    ]
    assert forgiven(case, 0.0).lost == 0.0


def test_a_clock_that_was_set_back_ends_no_step_earlier_and_lets_none_last_longer() -> None:
    case = at(0.75)
    back = BEGINNING - 500.0
    assert [met.left for met in standing(LADDER, case, back)] == [3600.0]
    after = at(0.75, back, case)
    assert (after.since, after.until) == (back, back + 3600.0)


def test_whoever_stands_on_no_step_is_put_on_one_only_where_that_may_be() -> None:
    found = judged(LADDER, NOBODY, nats(0.75), THRESHOLD, BEGINNING, lambda: False)
    assert (found.change, found.case.step) == ("held back", -1)
    assert found.case.suspicion == pytest.approx(0.75)


def test_who_stands_on_a_step_climbs_though_no_more_may_be_put_on_one() -> None:
    first = judged(LADDER, NOBODY, nats(0.75), THRESHOLD, BEGINNING)
    higher = judged(LADDER, first.case, nats(0.95), THRESHOLD, BEGINNING, lambda: False)
    assert (higher.change, higher.case.step) == ("climbed", 1)


def test_nobody_is_counted_who_is_not_put_on_a_step() -> None:
    asked: list[float] = []

    def may() -> bool:
        asked.append(doubt)
        return True

    for doubt in (0.0, 0.5, 0.75):
        judged(LADDER, NOBODY, nats(doubt), THRESHOLD, BEGINNING, may)
    assert asked == [0.75]


EVENTS = st.lists(
    st.tuples(st.floats(0.0, 30.0), st.floats(-2000.0, 20_000.0)), min_size=1, max_size=40
)
"""Evidence in nats, and the seconds that pass before it comes: the clock may be set back."""
FORWARD = st.lists(
    st.tuples(st.floats(0.0, 30.0), st.floats(0.0, 20_000.0)), min_size=1, max_size=40
)


def lived(
    events: Sequence[tuple[float, float]], ladder: Ladder = LADDER
) -> Iterator[tuple[Case, Judged, float, float]]:
    """Each case before and after, the evidence, and when."""
    case, now = NOBODY, BEGINNING
    for evidence, passed in events:
        now += passed
        found = judged(ladder, case, evidence, THRESHOLD, now)
        yield case, found, evidence, now
        case = found.case


@given(EVENTS)
def test_law_nobody_stands_higher_than_suspicion_has_reached(events: Any) -> None:
    highest = 0.0
    for _, found, evidence, _ in lived(events):
        highest = max(highest, suspicion(evidence, THRESHOLD))
        assert found.case.step < 0 or LADDER.steps[found.case.step].above <= highest
        if found.change == "climbed":
            assert LADDER.steps[found.case.step].above <= found.case.suspicion


@given(EVENTS)
def test_law_a_step_ends_by_its_time_and_not_before(events: Any) -> None:
    for before, found, _, now in lived(events):
        for met in standing(LADDER, found.case, now):
            assert 0.0 < met.left <= met.step.seconds
        for met in standing(LADDER, before, now):
            still = {each.step.name: each.left for each in standing(LADDER, found.case, now)}
            assert still[met.step.name] >= met.left
        assert standing(LADDER, found.case, now + 86_401.0) == ()


@given(FORWARD)
def test_law_nobody_flaps(events: Any) -> None:
    changes = [now for _, found, _, now in lived(events) if found.change]
    shortest = min(each.seconds for each in LADDER.steps)
    for start in changes:
        near = [each for each in changes if start <= each < start + shortest]
        assert len(near) <= len(LADDER.steps) + 1  # climbs, and one end of what was before


@given(st.floats(0.0, 30.0), st.lists(st.floats(0.0, 20_000.0), max_size=30))
def test_law_without_new_evidence_nobody_climbs_again(evidence: float, pauses: Any) -> None:
    events = [(evidence, 0.0), *((evidence, pause) for pause in pauses)]
    places = [found.case.step for _, found, _, _ in lived(events)]
    assert places == sorted(places, reverse=True)


@given(EVENTS)
def test_law_exempt_and_trusted_callers_never_stand_anywhere(events: Any) -> None:
    for _, found, _, now in lived(events, Ladder(hourly=2)):
        assert found.case.step == -1
        assert standing(Ladder(), found.case, now) == ()
    for evidence, _ in events:
        trusted = judged(LADDER, Case(override="trusted"), evidence, THRESHOLD, BEGINNING)
        assert (trusted.case.step, trusted.change) == (-1, "")


@given(st.floats(0.0, 30.0), st.floats(0.0, 30.0))
def test_law_more_evidence_never_puts_a_caller_lower(one: float, other: float) -> None:
    less, more = sorted((one, other))
    places = [judged(LADDER, NOBODY, each, THRESHOLD, BEGINNING).case.step for each in (less, more)]
    assert places == sorted(places)


# What an operator said, and when that ends.


def test_an_operators_word_ends_when_it_says_so() -> None:
    trusted = overridden(at(0.75), "trusted", BEGINNING + 100)
    assert current(trusted, BEGINNING + 99) == trusted
    assert current(trusted, BEGINNING + 100) == at(0.75)
    assert standing(LADDER, trusted, BEGINNING) == ()
    assert standing(LADDER, replace(trusted, ends=BEGINNING), BEGINNING) != ()
    again = judged(LADDER, replace(trusted, ends=BEGINNING), 0.0, THRESHOLD, BEGINNING).case
    assert (again.override, again.ends) == ("", 0.0)


def test_a_word_without_an_end_stays_and_none_has_no_end() -> None:
    frozen = overridden(Case(), "frozen")
    assert current(frozen, 1e12) == frozen
    assert overridden(Case(), "", 7.0) == Case()


def test_whoever_is_forgiven_is_spoken_of_no_more() -> None:
    assert forgiven(overridden(at(0.75), "frozen", 7.0), 0.0).override == ""

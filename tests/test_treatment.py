"""How steps meet a request; that it looks like exhaustion is tests/server/test_suspects.py's."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from extproc.cause import Cause
from extproc.dialects.request import Asked
from extproc.escalation import NOBODY, STEP, Case, Ladder, Met, Step
from extproc.exhaustion import Means, Passing, Turned, holder
from extproc.limits import (
    SECOND,
    Amounts,
    Calendar,
    Caller,
    Charge,
    Concurrency,
    Limit,
    Periods,
    Rate,
    Refused,
    Reserved,
    Scope,
    Sliding,
    Taken,
    Wait,
    presence,
)
from extproc.limits.exhaustion import DENY, Action, Challenge, Lower, Throttle
from extproc.policy import Policy
from extproc.prediction import Query
from extproc.rate_limit_fields import used_up
from extproc.refusal import RATE_LIMITED
from extproc.reservation import Asker, Reservation
from extproc.treatment import (
    as_told,
    asking,
    at_once,
    doubt,
    faces,
    late,
    met,
    on_terms,
    on_trial,
    throttled,
)
from tests.playbook import ASK, policy
from tests.test_proof_of_work import solved

NOW = 1_800_000_000.0
DAY = 86_400.0
BURST = Limit(Rate("burst/1m", 60, 60 * SECOND), "requests")
DAILY = Limit(
    Sliding("daily/1d", 100, 86_400 * SECOND), "queries", budget=True, exhausted=Lower("coarse")
)
MONTHLY = Limit(Calendar("monthly/month", 100, Periods("month")), "queries", budget=True)
WORK = Challenge(4096, 4096 * 8, 64)
CALLER = Caller("acme", "key:1", "acme")
SAID = Reserved(Taken("", (), (), ()), now=NOW, salt=b"s" * 32)


def step(
    action: Action,
    *,
    name: str = "deny",
    place: int = 0,
    face: Limit | None = None,
    early: bool = False,
    above: float = 0.9,
    per: tuple[Scope, ...] = ("tenant",),
) -> Step:
    rule = Concurrency(f"{STEP}{place}:{name}", 1)
    limit = Limit(rule, "requests", per, exhausted=action)
    return Step(above, 3 * DAY, limit, name, face, early)


def throttle(face: Limit | None = None, per: tuple[Scope, ...] = ("tenant",)) -> Step:
    slow = Throttle(Rate(f"{STEP}0/10s", 1, 10 * SECOND))
    return step(slow, name="throttle", face=face, early=True, above=0.5, per=per)


LOWER = step(Lower("coarse"), name="fidelity", place=1, face=DAILY, above=0.7)
HARD = step(WORK, name="challenge", place=2, above=0.8)
FORBID = step(DENY, place=3, face=MONTHLY)
LADDER = Ladder((throttle(), LOWER, HARD, FORBID))
DENIED = Case(0.95, 3, NOW, NOW + 3 * DAY)


def watched(**changes: Any) -> Policy:
    return replace(policy(reserved=(DAILY,)), ladder=LADDER, watched=True, **changes)


def standing(*steps: Step, left: float = 3 * DAY) -> list[Met]:
    return [Met(each, left) for each in steps]


def names(found: Sequence[Met]) -> list[str]:
    return [each.step.name for each in found]


def test_a_request_is_met_by_all_steps_that_its_caller_stands_on() -> None:
    assert names(met(watched(), DENIED, NOW)) == ["throttle", "fidelity", "challenge", "deny"]
    assert met(watched(), NOBODY, NOW) == ()
    assert met(watched(), DENIED, NOW + 3 * DAY) == ()


@pytest.mark.parametrize(
    "on_it", [watched(shadow=True), replace(watched(), ladder=Ladder(LADDER.steps, shadow=True))]
)
def test_on_trial_nothing_is_done_and_the_gravest_is_told(on_it: Policy) -> None:
    assert met(on_it, DENIED, NOW) == ()
    assert doubt(on_it, DENIED) == 0.0
    assert on_trial(on_it, DENIED, NOW) == "deny"
    assert on_trial(on_it, NOBODY, NOW) == ""


def test_what_is_done_is_on_no_trial() -> None:
    assert on_trial(watched(), DENIED, NOW) == ""


@pytest.mark.parametrize(
    ("chosen", "case", "priced"),
    [
        (watched(), DENIED, 0.95),
        (replace(watched(), watched=False), DENIED, 0.0),
        (watched(exempt=True), DENIED, 0.0),
        (watched(), Case(0.95, override="trusted"), 0.0),
        (watched(), NOBODY, 0.0),
    ],
)
def test_work_is_dearer_for_whom_is_suspected_and_may_be(
    chosen: Policy, case: Case, priced: float
) -> None:
    assert doubt(chosen, case) == priced


def test_what_denies_at_once_refuses_as_the_limit_would_that_it_is_told_as() -> None:
    slow = step(DENY, face=BURST, early=True)
    found = at_once(standing(slow), CALLER, NOW)
    assert isinstance(found, Turned)
    assert (found.refusal.status, found.refusal.cause) == (429, Cause.SUSPECTED)
    assert (found.refusal.retry_after, found.limit) == (1, f"{STEP}0:deny")


def test_without_a_limit_to_be_told_as_one_waits_for_the_step_to_end() -> None:
    found = at_once(standing(step(DENY, early=True), left=3000.0), CALLER, NOW)
    assert isinstance(found, Turned)
    assert found.refusal.retry_after == 3600


def test_what_is_slowed_is_counted_by_itself_for_each_whom_suspicion_is_of() -> None:
    [of_tenant] = at_once(standing(throttle()), CALLER, NOW)  # type: ignore[misc]
    assert (of_tenant.group, of_tenant.subject, of_tenant.amount) == ("acme", "", 1)
    [of_key] = at_once(standing(throttle(per=("tenant", "principal"))), CALLER, NOW)  # type: ignore[misc]
    assert of_key.subject == "key:1"
    assert at_once(standing(LOWER, HARD, FORBID), CALLER, NOW) == []


def test_a_throttle_that_refuses_is_told_by_the_name_of_another_limit() -> None:
    steps = standing(throttle(face=BURST))
    [charge] = at_once(steps, CALLER, NOW)  # type: ignore[misc]
    own = [*BURST.charges(CALLER, Amounts())]
    refused = used_up((BURST,), [*own, charge], Refused((Wait(1, 8 * SECOND),)))
    [told] = as_told(refused, steps)
    assert (told.name, told.max, told.window, told.left, told.reset) == ("burst", 60, 60, 0, 8)
    assert as_told(refused, standing(throttle())) == []
    theirs = used_up((BURST,), own, Refused((Wait(0, SECOND),)))
    assert as_told(theirs, steps) == theirs


def test_the_record_alone_says_that_a_throttle_was_ours() -> None:
    refusal = RATE_LIMITED.after(1)
    ours = throttled(Turned(refusal, f"{STEP}0")).refusal
    assert (ours, ours.cause) == (refusal, Cause.SUSPECTED)
    assert throttled(Turned(refusal, "burst")).refusal.cause is None


def means(**changes: Any) -> Means:
    return Means(holder("acme", "key:1"), b"k" * 32, **changes)


def test_what_meets_a_request_that_has_been_read_is_what_it_has_not_passed_yet() -> None:
    steps = standing(throttle(), LOWER, HARD, FORBID)
    assert names(late(steps, Passing(frozenset()))) == ["fidelity", "challenge", "deny"]
    passed = Passing(frozenset({LOWER.limit.rule.name}))
    assert names(late(steps, passed)) == ["challenge", "deny"]


def test_an_answer_is_lowered_on_terms() -> None:
    terms = on_terms(standing(LOWER), "acme", means(), SAID, Passing(frozenset()))
    assert isinstance(terms, Passing)
    assert (terms.fidelities, terms.once) == (("coarse",), None)


def test_work_is_asked_for_as_much_as_is_suspected() -> None:
    cheap = on_terms(standing(HARD), "acme", means(), SAID, Passing(frozenset()))
    dear = on_terms(standing(HARD), "acme", means(suspicion=0.99), SAID, Passing(frozenset()))
    assert isinstance(cheap, Turned)
    assert isinstance(dear, Turned)
    assert (cheap.refusal.cause, cheap.limit) == (Cause.CHALLENGED, f"{STEP}2:challenge")
    costs = [json.loads(each.refusal.puzzle)["parameters"]["cost"] for each in (cheap, dear)]
    assert costs == [1, 8]


def test_what_is_done_for_it_does_for_all_else_too() -> None:
    posed = on_terms(standing(HARD), "acme", means(), SAID, Passing(frozenset()))
    assert isinstance(posed, Turned)
    answer = solved(json.loads(posed.refusal.puzzle))
    terms = on_terms(
        standing(LOWER, HARD), "acme", means(solution=answer), SAID, Passing(frozenset())
    )
    assert isinstance(terms, Passing)
    assert terms.fidelities == ("coarse",)
    assert terms.once is not None


def test_who_is_denied_is_asked_for_no_work() -> None:
    found = on_terms(standing(LOWER, HARD, FORBID), "acme", means(), SAID, Passing(frozenset()))
    assert isinstance(found, Turned)
    assert (found.refusal.puzzle, found.refusal.cause) == ("", Cause.SUSPECTED)
    assert found.limit == f"{STEP}3:deny"


@pytest.mark.parametrize(
    ("face", "reset", "wait"),
    [(BURST, 60.0, 1.0), (DAILY, 9 / 8 * DAY, 3600.0), (MONTHLY, 17 * DAY, 17 * DAY)],
)
def test_a_limit_that_a_step_is_told_as_says_what_it_would_if_it_were_used_up(
    face: Limit, reset: float, wait: float
) -> None:
    """Of a window alone it cannot be known how long ago that was."""
    steps = standing(step(DENY, face=face), left=3600.0)
    [passing] = faces(steps, "acme", NOW)
    [refused] = faces(steps, "acme", NOW, refused=True)
    assert (passing.name, passing.left, passing.group) == (face.name, 0, "acme")
    assert passing.reset == pytest.approx(reset, rel=0.11)
    assert refused.reset == pytest.approx(wait, rel=0.03)


def test_of_a_step_that_is_told_as_none_nothing_is_told() -> None:
    assert faces(standing(HARD), "acme", NOW) == []


def reservation(case: Case, solution: str = "", **changes: Any) -> Reservation:
    lowered = policy(reserved=(DAILY,))
    own = watched(lower={"coarse": replace(lowered, ladder=LADDER, watched=True)}, **changes)
    made = Reservation(Asker("key:1", solution=solution, case=case, arrival=NOW))
    made.ask(own, Asked(Query("m", 1), ASK))
    return made


def test_a_step_is_met_before_anything_is_counted_of_the_store() -> None:
    made = reservation(Case(0.75, 1, NOW, NOW + 3 * DAY))
    assert made.wanted is not None
    assert made.wanted.final
    assert [(charge.group, charge.amount) for charge in made.wanted.charges] == [("acme", 0)]
    assert made.answered(SAID) is None
    assert made.lowered is not None
    assert made.step == "fidelity"
    made.ask(made.lowered, Asked(Query("m", 1), ASK))
    assert made.wanted is not None
    assert [charge.rule.name for charge in made.wanted.charges] == ["daily/1d"]


def challenged(solution: str = "") -> Reservation:
    bare = replace(watched(), reserved=(), ladder=Ladder((HARD,)))
    case = Case(0.85, 0, NOW, NOW + 3 * DAY)
    made = Reservation(Asker("key:1", solution=solution, case=case, arrival=NOW))
    made.ask(bare, Asked(Query("m", 1), ASK))
    return made


def test_a_solution_counts_once_though_no_limit_counts_anything() -> None:
    posed = challenged().answered(SAID)
    assert posed is not None
    made = challenged(solved(json.loads(posed.puzzle)))
    assert made.answered(SAID) is None
    assert made.wanted is not None
    assert (made.wanted.charges, made.wanted.once is None) == ([], False)
    spent = made.answered(Reserved(None, spent=True, now=NOW, salt=b"t" * 32))
    assert spent is not None
    assert spent.cause is Cause.SOLUTION_SPENT


def test_who_cannot_be_told_the_time_is_not_let_pass() -> None:
    made = reservation(DENIED)
    refusal = made.answered(Reserved(None))
    assert refusal is not None
    assert refusal.status == 503


def test_the_store_is_asked_of_each_group_once_and_nothing_is_taken() -> None:
    rules = [Rate(f"r{number}/1s", 5, SECOND) for number in range(3)]
    charges = [Charge(rule, group, "", 1) for rule, group in zip(rules, "aab", strict=True)]
    asked = asking(policy(), charges)
    assert asked == [presence("a"), presence("b")]
    assert {charge.amount for charge in asked} == {0}
    assert asking(policy(), ()) == []
    budget = Limit(Calendar("daily/day", 9, Periods("day")), "credits", budget=True)
    assert asking(policy(reserved=(budget,)), ()) == [presence("acme")]

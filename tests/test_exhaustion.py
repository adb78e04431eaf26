import hashlib
import json
from functools import cache
from typing import Any

import msgspec
import pytest

from extproc.cause import Cause
from extproc.exhaustion import Means, Passing, Turned, exhausted, holder, turned
from extproc.limits import SECOND, Charge, Limit, Rate, Refused, Reserved, Sliding, Wait
from extproc.limits.exhaustion import (
    DENY,
    Action,
    Challenge,
    Lower,
    StepUp,
    Throttle,
)
from extproc.refusal import INSUFFICIENT
from tests import test_proof_of_work as work_tests

KEY = b"k" * 32
SLOW = Rate("slow:throttle/10s", 1, 10 * SECOND)
WORK = Challenge(least=4096, most=4096 * 8, bits=64)
SAID = Reserved(None, now=1000.0, salt=b"s" * 32)


@cache
def solved(puzzle: str) -> str:
    return work_tests.solved(json.loads(puzzle))


def means(**changes: Any) -> Means:
    return msgspec.structs.replace(Means(holder("acme", "key:1"), KEY), **changes)


def limit(name: str, action: Action) -> Limit:
    rule = Sliding(f"{name}/1d", 10, 86_400 * SECOND)
    return Limit(rule, "requests", budget=True, exhausted=action)


def outcome(
    *actions: Action | None, given: Means | None = None, done: frozenset[str] = frozenset()
) -> Passing | Turned:
    """Of a request that the limits with these actions refuse, each later than the one before."""
    wanted = []
    for index, action in enumerate(actions):
        of = limit(f"b{index}", action) if action is not None else None
        rule = of.rule if of is not None else SLOW
        wanted.append((Charge(rule, "acme", "key:1", 1), of))
    waits = tuple(Wait(index, (index + 1) * SECOND) for index in range(len(actions)))
    return exhausted(wanted, Refused(waits), given or means(), SAID, Passing(done))


def refused(found: Passing | Turned) -> Turned:
    assert isinstance(found, Turned)
    return found


def passing(found: Passing | Turned) -> Passing:
    assert isinstance(found, Passing)
    return found


def test_whoever_is_denied_is_told_when_the_last_limit_lets_it_in() -> None:
    found = refused(outcome(DENY, DENY, Lower("coarse")))
    assert (found.refusal.status, found.limit, found.refusal.retry_after) == (429, "b1", 2)
    assert found.refusal.cause is None


def test_a_frozen_tenant_is_denied_whatever_its_budgets_say() -> None:
    found = turned([], Refused((), frozen=True))
    assert (found.refusal.status, found.refusal.cause) == (429, Cause.TENANT_STOPPED)
    assert (
        refused(exhausted([], Refused((), frozen=True), means(), SAID, Passing(frozenset())))
        == found
    )


def test_a_rate_that_is_left_denies_where_it_is_used_up_too() -> None:
    assert refused(outcome(None)).limit == "slow:throttle"


def test_terms_that_a_request_passes_on_already_are_no_way_past_once_more() -> None:
    assert refused(outcome(Lower("coarse"), done=frozenset({"b0/1d"}))).limit == "b0"


def test_less_exact_answers_and_a_slower_rate_let_it_pass() -> None:
    found = passing(outcome(Lower("coarse"), Throttle(SLOW), Lower("labels")))
    assert found.fidelities == ("coarse", "labels")
    assert found.throttles == (Charge(SLOW, "acme", "key:1", 1, 1),)
    assert found.lenient == {"b0/1d", "b1/1d", "b2/1d"}
    assert found.once is None


def test_only_the_credential_that_is_asked_for_is_strong_enough() -> None:
    action = StepUp(("gold", "platinum"))
    asked = refused(outcome(action))
    assert asked.refusal == INSUFFICIENT.demanding(("gold", "platinum"))
    assert refused(outcome(action, given=means(acr="silver"))) == asked
    assert refused(outcome(action, given=means(acr=""))) == asked
    assert passing(outcome(action, given=means(acr="platinum"))).lenient == {"b0/1d"}


def posed(found: Passing | Turned, cause: Cause) -> str:
    refusal = refused(found).refusal
    assert (refusal.status, refusal.cause) == (429, cause)
    assert refusal.puzzle
    return refusal.puzzle


def test_work_that_was_done_lets_it_pass_once() -> None:
    puzzle = posed(outcome(WORK), Cause.CHALLENGED)
    found = passing(outcome(WORK, given=means(solution=solved(puzzle))))
    assert found.once is not None
    assert found.once.until > SAID.now


def test_one_solution_does_for_several_budgets_if_it_is_for_the_dearest() -> None:
    dearer = Challenge(least=4096 * 4, most=4096 * 8, bits=64)
    cheap = solved(posed(outcome(WORK), Cause.CHALLENGED))
    posed(outcome(WORK, dearer, given=means(solution=cheap)), Cause.SOLUTION_CHEAP)
    both = solved(posed(outcome(WORK, dearer), Cause.CHALLENGED))
    assert passing(outcome(WORK, dearer, given=means(solution=both))).once is not None


def test_more_bits_are_more_work() -> None:
    cheap = solved(posed(outcome(WORK), Cause.CHALLENGED))
    posed(outcome(WORK, given=means(solution=cheap, bits=1000)), Cause.SOLUTION_CHEAP)


@pytest.mark.parametrize("other", [holder("acme", "key:2"), holder("beta", "key:1")])
def test_the_work_of_another_is_no_work(other: Any) -> None:
    solution = solved(posed(outcome(WORK, given=means(holder=other)), Cause.CHALLENGED))
    posed(outcome(WORK, given=means(solution=solution)), Cause.SOLUTION_FOREIGN)


def test_what_is_no_solution_is_asked_for_again() -> None:
    junk = hashlib.sha256(b"x").hexdigest()
    posed(outcome(WORK, given=means(solution=junk)), Cause.SOLUTION_MALFORMED)


def test_work_is_no_way_past_a_budget_that_wants_a_credential() -> None:
    solution = solved(posed(outcome(WORK), Cause.CHALLENGED))
    given = means(solution=solution)
    assert refused(outcome(StepUp(("gold",)), WORK, given=given)).refusal.status == 401


def test_work_is_dearer_for_whoever_is_suspected_in_steps_of_two() -> None:
    prices = [
        json.loads(refused(outcome(WORK, given=means(suspicion=suspicion))).refusal.puzzle)[
            "parameters"
        ]["cost"]
        for suspicion in (0.0, 0.2, 0.5, 0.99)
    ]
    assert prices == [1, 4, 8, 8]  # of which the last is the most

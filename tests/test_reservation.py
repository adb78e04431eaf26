"""Beside test_reserved_exchange.py, where a reservation is part of an exchange."""

import json

import orjson

from extproc.credentials import Once
from extproc.dialects import Rerank
from extproc.dialects.gate import Terms
from extproc.dialects.request import Asked
from extproc.dialects.told import Told
from extproc.limits import (
    NOTHING,
    SECOND,
    Amounts,
    Level,
    Limit,
    Rate,
    Refused,
    Reserved,
    Taken,
    Wait,
)
from extproc.limits.exhaustion import Challenge, Throttle
from extproc.prediction import Query, Usage
from extproc.reservation import NOBODY, Asker, End, Reservation
from tests.playbook import ASK, policy
from tests.test_proof_of_work import solved

SLOW = Rate("slow:throttle/10s", 1, 10 * SECOND)
ASKED = Asked(Query("m", 1), ASK)


def budget(action: Throttle | Challenge, name: str = "b/1d") -> Limit:
    return Limit(Rate(name, 1, SECOND), "requests", budget=True, exhausted=action)


def asked(*limits: Limit, solution: str = "") -> Reservation:
    reservation = Reservation(Asker("key:1", solution=solution))
    reservation.ask(policy(reserved=limits), ASKED)
    return reservation


def test_a_slower_rate_is_taken_besides_what_is_exhausted() -> None:
    reservation = asked(budget(Throttle(SLOW)))
    assert reservation.answered(Reserved(Refused((Wait(0, SECOND),)))) is None
    assert reservation.wanted is not None
    exhausted, slow = reservation.wanted.charges
    assert (exhausted.forced, slow.forced, slow.rule) == (True, False, SLOW)
    refusal = reservation.answered(Reserved(Refused((Wait(1, 9 * SECOND),))))
    assert refusal is not None
    assert (refusal.retry_after, reservation.limit) == (10, "slow:throttle")


def test_work_that_was_done_before_is_asked_for_again() -> None:
    hard, full = (
        budget(Challenge(4096, 4096, 64)),
        Reserved(Refused((Wait(0, SECOND),)), now=1000.0, salt=b"s" * 32),
    )
    posed = asked(hard).answered(full)
    assert posed is not None
    solution = solved(json.loads(posed.puzzle))
    reservation = asked(hard, solution=solution)
    assert reservation.answered(full) is None
    assert reservation.wanted is not None
    assert reservation.wanted.once is not None
    refusal = reservation.answered(Reserved(None, spent=True, now=1000.0, salt=b"t" * 32))
    assert refusal is not None
    assert (refusal.status, refusal.outcome) == (429, "solution_spent")
    assert refusal.puzzle not in {"", posed.puzzle}


def once_of(reservation: Reservation) -> Once | None:
    assert reservation.wanted is not None
    return reservation.wanted.once


def test_work_is_done_once_for_budgets_that_are_found_exhausted_one_after_another() -> None:
    """A Cluster tells of one group's budgets at a time."""
    hard = Challenge(4096, 4096, 64)
    both = budget(hard), budget(hard, "c/1d")
    first = Reserved(Refused((Wait(0, SECOND),)), now=1000.0, salt=b"s" * 32)
    second = Reserved(Refused((Wait(1, SECOND),)), now=1000.0, salt=b"t" * 32)
    posed = asked(*both).answered(first)
    assert posed is not None
    reservation = asked(*both, solution=solved(json.loads(posed.puzzle)))
    assert reservation.answered(first) is None
    assert once_of(reservation) is not None
    assert reservation.answered(second) is None
    assert once_of(reservation) is None
    assert reservation.wanted is not None
    assert [charge.forced for charge in reservation.wanted.charges] == [True, True]


def test_a_dearer_budget_that_is_found_later_wants_dearer_work() -> None:
    both = budget(Challenge(4096, 4096, 64)), budget(Challenge(8192, 8192, 64), "c/1d")
    first = Reserved(Refused((Wait(0, SECOND),)), now=1000.0, salt=b"s" * 32)
    second = Reserved(Refused((Wait(1, SECOND),)), now=1000.0, salt=b"t" * 32)
    posed = asked(*both).answered(first)
    assert posed is not None
    reservation = asked(*both, solution=solved(json.loads(posed.puzzle)))
    assert reservation.answered(first) is None
    dearer = reservation.answered(second)
    assert dearer is not None
    assert dearer.outcome == "solution_cheap"
    reservation = asked(*both, solution=solved(json.loads(dearer.puzzle)))
    assert reservation.answered(first) is None
    assert reservation.answered(second) is None
    assert once_of(reservation) is None


def test_of_what_went_on_and_failed_nothing_is_charged() -> None:
    reservation = asked(budget(Throttle(SLOW)))
    told = Told(usage=Usage(3, 4))
    for went_on, failed in ((False, False), (False, True), (True, True)):
        assert (
            reservation.cost(End(went_on, failed, served=False, left=False, told=told)) == NOTHING
        )
    whole = reservation.cost(End(went_on=True, failed=False, served=True, left=True, told=told))
    assert whole.of("tokens")[0] == 7


def test_nothing_was_spent_of_what_was_never_taken() -> None:
    assert Reservation(NOBODY).spent(NOTHING) == {}


def test_what_was_taken_is_spent_by_its_units() -> None:
    reservation = asked(budget(Throttle(SLOW)))
    assert reservation.wanted is not None
    charges = tuple(reservation.wanted.charges)
    levels = (Level(0, 0),)
    assert reservation.answered(Reserved(Taken("r", charges, (0,), levels))) is None
    assert reservation.spent(Amounts()) == {"requests": 1}


def test_what_is_read_with_each_of_several_is_counted_with_each() -> None:
    """A ranking's question stands in the body once, and the model reads it with every text."""
    read = {"model": "m", "query": "q" * 100, "documents": ["a"] * 20}
    body = orjson.dumps(read)
    ranking = Rerank().read(body, {}, Terms(()))
    reservation = Reservation(Asker("key:1"))
    limit = Limit(Rate("b/1d", 10**6, SECOND), "tokens", budget=True)
    reservation.ask(policy(Rerank(), reserved=(limit,)), ranking)
    assert reservation.wanted is not None
    (charge,) = reservation.wanted.charges
    assert charge.amount == len(body) + 19 * 102

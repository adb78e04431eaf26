"""What a request may cost is taken before it goes on, and what it did cost is known at its end."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest

from extproc.caps import Caps
from extproc.dialects.gate import Terms
from extproc.entitlement import Entitlement
from extproc.events import (
    Action,
    Event,
    ReplaceRequest,
    ReplaceResponse,
    RequestBody,
    RequestHeaders,
    Respond,
    ResponseBody,
    ResponseTrailers,
    SendResponseBody,
    SendResponseHeaders,
)
from extproc.fidelity import Fidelity
from extproc.information import UNSIZED, Information, Sizes
from extproc.limits import (
    NOTHING,
    SECOND,
    Charge,
    Concurrency,
    Level,
    Limit,
    Rate,
    Refused,
    Reserved,
    Sliding,
    Taken,
    Unit,
    Wait,
)
from extproc.limits.exhaustion import Challenge, Lower
from extproc.mutators import TopK
from extproc.policy import Policy
from extproc.rate_limit_fields import FAMILIES
from extproc.reservation import Asker, Reservation
from extproc.reserved_exchange import ReservedExchange
from tests import playbook
from tests import test_exchange_grpc as by_grpc_tests
from tests.playbook import ANSWER, ASK, ASK_STREAM, EVENT, LAST, SECRET, headers, told
from tests.test_proof_of_work import solved

MAX = 50
DAY = 86_400 * SECOND


def budget(unit: Unit, most: int = 10**9) -> Limit:
    return Limit(Sliding(f"{unit}/1d", most, DAY), unit, budget=True)


UNITS: tuple[Unit, ...] = ("requests", "queries", "tokens", "credits", "bits")
ALL = (*map(budget, UNITS), Limit(Concurrency("parallel", 9), "concurrent"))


def policy(*limits: Limit, kinds: Mapping[str, Sequence[TopK]] = playbook.TEXT_ONLY) -> Policy:  # type: ignore[assignment]
    made = playbook.policy(kinds=kinds, reserved=limits or ALL)  # type: ignore[arg-type]
    terms = Terms(frozenset(kinds), entitlement=Entitlement(max_tokens=MAX))  # type: ignore[arg-type]
    information = Information(made.route.dialect, made.fidelity.mutators, UNSIZED)
    return replace(made, terms=terms, information=information)


def exchange(chosen: Policy | None = None, asker: Asker | None = None) -> ReservedExchange:
    return ReservedExchange(
        chosen or policy(), {}, Reservation(asker or Asker("key:1", arrival=1000.0))
    )


def wanted(machine: ReservedExchange, body: bytes = ASK) -> Sequence[Charge]:
    """What it wants when it has been asked so; nothing of it has gone on by then."""
    assert told(machine, RequestHeaders(end=False)) == []
    assert told(machine, RequestBody(body, end=True)) == []
    assert machine.reserving is not None
    return machine.reserving.charges


def taken(charges: Sequence[Charge], left: int = 7) -> Reserved:
    levels = tuple(Level(left, 60 * SECOND) for _ in charges)
    return Reserved(Taken("r", tuple(charges), (0,) * len(charges), levels))


def passed(machine: ReservedExchange, body: bytes = ASK) -> list[Action]:
    charges = wanted(machine, body)
    actions = machine.receive(taken(charges))
    assert machine.reserving is None
    return [*actions]


def answered(machine: ReservedExchange, *events: Event) -> list[Action]:
    passed(machine, ASK_STREAM if "event-stream" in str(events[0]) else ASK)
    return [action for event in events for action in told(machine, event)]


def cost(machine: ReservedExchange) -> dict[str, int]:
    return {unit: machine.cost.of(unit)[0] for unit in (*UNITS, "concurrent")}


def test_what_it_may_cost_at_most_is_wanted_before_it_goes_on() -> None:
    amounts = {each.unit: each.amount for each in wanted(exchange())}
    sent = orjson.loads(ASK) | {"max_tokens": MAX}
    assert amounts == {
        "requests": 1,
        "queries": 1,
        "tokens": len(orjson.dumps(sent)) + MAX,
        "credits": 1000,
        "bits": 20 * MAX,
        "concurrent": 1,
    }


def test_several_answers_to_one_input_are_as_many_times_as_long() -> None:
    asked = orjson.dumps(orjson.loads(ASK) | {"n": 3, "max_tokens": 10})
    [tokens, bits] = wanted(exchange(policy(budget("tokens"), budget("bits"))), asked)
    assert (tokens.amount, bits.amount) == (len(asked) + 30, 20 * 30)


def test_what_was_reserved_goes_on_once() -> None:
    [sent] = passed(exchange())
    assert isinstance(sent, ReplaceRequest)
    assert orjson.loads(sent.body)["max_tokens"] == MAX


def test_what_nothing_counts_goes_on_at_once() -> None:
    machine = exchange(policy(Limit(Rate("x/1s", 1, SECOND), "requests", models=("other",))))
    assert told(machine, RequestHeaders(end=False)) == []
    assert len(told(machine, RequestBody(ASK, end=True))) == 1
    assert machine.reservation.taken is None


@pytest.mark.parametrize(
    ("outcome", "status", "code", "limit"),
    [
        (Refused((Wait(2, 3 * SECOND), Wait(0, SECOND))), 429, "rate_limit_exceeded", "tokens"),
        (Refused((), frozen=True), 429, "tenant_stopped", ""),
        (None, 503, "store_unavailable", ""),
    ],
)
def test_what_could_not_be_reserved_is_refused_and_costs_nothing(
    outcome: Refused | None, status: int, code: str, limit: str
) -> None:
    machine = exchange()
    wanted(machine)
    [answer] = machine.receive(Reserved(outcome))
    assert isinstance(answer, Respond)
    assert (answer.status, machine.outcome, machine.fault) == (status, code, limit)
    assert machine.cost == NOTHING
    assert machine.reservation.taken is None
    assert SECRET not in str(answer)


DOCUMENT = ANSWER.replace(
    b'"usage":{"total_tokens":2}', b'"usage":{"prompt_tokens":9,"completion_tokens":4}'
)


def test_at_its_end_it_costs_what_the_model_server_tells() -> None:
    machine = exchange()
    [sent] = answered(machine, headers(), ResponseBody(DOCUMENT, end=True))[-1:]
    assert isinstance(sent, ReplaceResponse)
    assert cost(machine) == {
        "requests": 1,
        "queries": 1,
        "tokens": 13,
        "credits": 1000,
        "bits": 24,  # three octets: "Hi", and its end
        "concurrent": 0,
    }


def test_the_settlement_is_in_the_order_of_the_charges() -> None:
    machine = exchange(policy(budget("tokens"), budget("requests"), *ALL[-1:]))
    answered(machine, headers(), ResponseBody(DOCUMENT, end=True))
    assert machine.reservation.settlement(machine.cost) == [13, 1, 0]
    assert machine.reservation.spent(machine.cost) == {"tokens": 13, "requests": 1}


def test_what_nobody_tells_stays_as_it_was_reserved() -> None:
    machine = exchange()
    silent = ANSWER.replace(b',"usage":{"total_tokens":2}', b"")
    before = {each.unit: each.amount for each in wanted(exchange())}
    answered(machine, headers(), ResponseBody(silent, end=True))
    assert machine.outcome == "served"
    assert cost(machine)["tokens"] == before["tokens"]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_model_server_that_failed_before_a_byte_left_costs_nothing(status: int) -> None:
    machine = exchange()
    answered(machine, headers(status=status, end=True))
    assert machine.cost == NOTHING
    assert set(machine.reservation.settlement(machine.cost)) == {0}


def test_an_error_of_the_request_costs_what_was_asked() -> None:
    machine = exchange()
    answered(machine, headers(status=400, end=True))
    found = cost(machine)
    assert (found["requests"], found["queries"], found["bits"]) == (1, 1, 0)
    assert found["tokens"] > len(ASK)  # of what was read; nothing was written


def test_an_answer_that_cannot_be_released_told_nothing() -> None:
    machine = exchange()
    answered(machine, headers(), ResponseBody(b"not json", end=True))
    assert machine.status == 502
    assert (cost(machine)["requests"], cost(machine)["bits"]) == (1, 0)


def test_a_client_that_hangs_up_has_had_what_was_sent() -> None:
    machine = exchange()
    answered(machine, headers("text/event-stream"), *[ResponseBody(EVENT, end=False)] * 3)
    found = cost(machine)
    assert found["bits"] == 3 * 24
    read = len(passed(exchange(), ASK_STREAM)[0].body)  # type: ignore[union-attr]
    assert found["tokens"] == read + 9  # an octet is a token at most


def test_what_a_stream_tells_at_its_beginning_is_not_all_that_was_written() -> None:
    """Anthropic's tell 1; what it was in the end stands in an event that nobody has read."""
    told_one = orjson.loads(EVENT.removeprefix(b"data: "))
    usage = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}
    first = b"data: " + orjson.dumps({**told_one, "usage": usage}) + b"\n\n"
    machine = exchange()
    events = [ResponseBody(each, end=False) for each in (first, EVENT, EVENT)]
    answered(machine, headers("text/event-stream"), *events)
    assert cost(machine)["tokens"] == 9 + 9


@pytest.mark.parametrize(("asked", "written"), [(None, 9), (4, 4)])
def test_a_broken_stream_costs_more_than_its_route_declares_and_no_more_than_was_asked(
    asked: int | None, written: int
) -> None:
    """A declared size binds no model server, and a maximum in the request does."""
    made = policy()
    terms = Terms(made.terms.granted)
    machine = exchange(replace(made, terms=terms, route=replace(made.route, sizes=Sizes(tokens=2))))
    body = orjson.dumps({**orjson.loads(ASK_STREAM), **({"max_tokens": asked} if asked else {})})
    (sent,) = passed(machine, body)
    told(machine, headers("text/event-stream"))
    for _ in range(3):
        told(machine, ResponseBody(EVENT, end=False))
    assert isinstance(sent, ReplaceRequest)
    assert cost(machine)["tokens"] == len(sent.body) + written


def test_a_client_that_hangs_up_before_the_answer_has_had_nothing_of_it() -> None:
    machine = exchange()
    passed(machine)
    found = cost(machine)
    assert (found["requests"], found["queries"], found["bits"]) == (1, 1, 0)


def test_a_stream_costs_what_its_last_event_tells() -> None:
    machine = exchange()
    usage = b'data: {"id":"c1","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}\n\n'
    events = [ResponseBody(EVENT + usage, end=False), ResponseBody(LAST, end=True)]
    answered(machine, headers("text/event-stream"), *events)
    assert machine.outcome == "served"
    assert (cost(machine)["tokens"], cost(machine)["bits"]) == (7, 24)


# Less exactly.


def lowering() -> Policy:
    limit = replace_exhausted(budget("requests", 1), Lower("coarse"))
    high = policy(limit, budget("bits"), kinds={"text": (), "logprobs": ()})
    coarse = Fidelity("coarse", {"text": ()})
    low = replace(
        high,
        fidelity=coarse,
        edits=coarse.edits(),
        terms=Terms(frozenset({"text"}), entitlement=Entitlement(max_tokens=MAX)),
        information=Information(high.route.dialect, coarse.mutators, UNSIZED),
    )
    return replace(high, lower={"coarse": low})


def replace_exhausted(limit: Limit, action: Lower) -> Limit:
    return Limit(limit.rule, limit.unit, budget=True, exhausted=action)


LOGPROBS = orjson.dumps(orjson.loads(ASK) | {"logprobs": True, "top_logprobs": 2})


def test_an_exhausted_budget_has_it_read_anew_at_the_lower_tier() -> None:
    machine = exchange(lowering())
    first, bits = wanted(machine, LOGPROBS)
    assert machine.receive(Reserved(Refused((Wait(0, SECOND),)))) == []
    assert machine.reserving is not None
    again, fewer = machine.reserving.charges
    assert (first.forced, again.forced, fewer.forced) == (False, True, False)
    assert fewer.amount < bits.amount
    [sent] = machine.receive(taken(machine.reserving.charges))
    assert isinstance(sent, ReplaceRequest)
    assert b"logprobs" not in sent.body


def test_a_second_budget_lowers_further_what_a_first_one_has_lowered() -> None:
    """A Cluster tells of one group's budgets at a time."""
    chosen = lowering()
    labels = Fidelity("labels", {})
    coarse = replace(
        chosen.lower["coarse"],
        reserved=(*chosen.reserved[:1], replace_exhausted(chosen.reserved[1], Lower("labels"))),
    )
    lowest = replace(coarse, fidelity=labels, edits=labels.edits(), terms=Terms(frozenset()))
    coarse = replace(coarse, lower={"labels": lowest})
    machine = exchange(replace(chosen, lower={"coarse": coarse, "labels": lowest}))
    wanted(machine, LOGPROBS)
    assert machine.receive(Reserved(Refused((Wait(0, SECOND),)))) == []
    assert machine.receive(Reserved(Refused((Wait(1, SECOND),)))) == []
    assert machine._policy is lowest


def test_what_another_budget_refuses_is_refused_at_any_tier() -> None:
    machine = exchange(lowering())
    wanted(machine, LOGPROBS)
    machine.receive(Reserved(Refused((Wait(0, SECOND),))))
    [answer] = machine.receive(Reserved(Refused((Wait(1, SECOND),))))
    assert isinstance(answer, Respond)
    assert (answer.status, machine.fault) == (429, "bits")


# What its caller is told.


def test_an_answer_says_what_is_left() -> None:
    chosen = replace(policy(budget("requests", 10)), families=frozenset(FAMILIES))
    machine = exchange(chosen)
    answered(machine, headers("text/event-stream"))
    machine = exchange(chosen)
    [sent] = answered(machine, headers("text/event-stream"), ResponseBody(EVENT, end=False))[:1]
    assert isinstance(sent, SendResponseHeaders)
    assert sent.set_headers["x-ratelimit-limit-requests"] == "10"
    assert sent.set_headers["ratelimit"].startswith('"requests";r=')


def test_a_refusal_says_what_is_left_too() -> None:
    machine = exchange(replace(policy(budget("requests", 10)), families=frozenset({"openai"})))
    wanted(machine)
    [answer] = machine.receive(Reserved(Refused((Wait(0, 30 * SECOND),))))
    assert isinstance(answer, Respond)
    assert answer.headers["x-ratelimit-remaining-requests"] == "0"
    assert answer.headers["retry-after"] == "60"


def test_what_ext_authz_took_is_told_with_it() -> None:
    early = Limit(Rate("burst/1s", 20, SECOND), "requests")
    chosen = replace(policy(), limits=(early,), reserved=(), families=frozenset({"openai"}))
    machine = exchange(chosen, Asker("key:1", levels=(Level(12, SECOND),)))
    told(machine, RequestHeaders(end=False))
    told(machine, RequestBody(ASK, end=True))
    [sent] = told(machine, headers()) + told(machine, ResponseBody(ANSWER, end=True))
    assert isinstance(sent, ReplaceResponse)
    assert sent.set_headers["x-ratelimit-limit-requests"] == "20"
    other = exchange(chosen, Asker("key:1", levels=(Level(1, 1), Level(2, 2))))
    told(other, RequestHeaders(end=False))
    told(other, RequestBody(ASK, end=True))
    assert other.reservation.fields() == {}


def test_whoever_is_refused_before_it_was_read_is_told_nothing() -> None:
    assert exchange().reservation.fields() == {}


def test_nothing_more_is_sent_of_an_exchange_that_was_refused() -> None:
    machine = exchange()
    wanted(machine)
    machine.receive(Reserved(None))
    assert told(machine, headers()) == []
    assert told(machine, ResponseBody(ANSWER, end=True)) == []
    assert not any(isinstance(each, SendResponseBody) for each in told(machine, headers()))


# Work that lets an exhausted budget's requests pass.


def test_a_solution_that_was_used_before_gets_a_challenge_for_as_much_work_and_as_long_a_wait() -> (
    None
):
    asked = Challenge(least=40_960, most=81_920, bits=64)
    limit = Limit(Sliding("work/1d", 9, DAY), "requests", budget=True, exhausted=asked)
    machine = exchange(policy(limit))
    wanted(machine)
    away = Refused((Wait(0, 50 * SECOND),))
    [first] = machine.receive(Reserved(away, now=1000.0, salt=b"s" * 32))
    assert isinstance(first, Respond)
    assert first.headers["retry-after"] == "60"
    solution = solved(orjson.loads(first.body)["challenge"])

    again = exchange(policy(limit), Asker("key:1", solution=solution, arrival=1000.0))
    wanted(again)
    assert again.receive(Reserved(away, now=1000.0, salt=b"t" * 32)) == []
    assert again.reserving is not None
    assert again.reserving.once is not None
    assert [charge.forced for charge in again.reserving.charges] == [True]
    [second] = again.receive(Reserved(None, spent=True, now=1000.0, salt=b"t" * 32))
    assert isinstance(second, Respond)
    assert (second.status, second.headers["retry-after"]) == (429, "60")
    costs = [orjson.loads(each.body)["challenge"]["parameters"]["cost"] for each in (first, second)]
    assert costs[0] == costs[1] >= 10
    assert again.outcome == "solution_spent"


def by_grpc(**more: Any) -> ReservedExchange:
    chosen = playbook.policy(
        by_grpc_tests.DIALECT,
        route=by_grpc_tests.ROUTE,
        kinds={"probabilities": ()},
        reserved=(budget("queries"), budget("bits")),
        **more,
    )
    sized = Information(chosen.route.dialect, {"probabilities": ()}, Sizes(probabilities=2))
    return exchange(replace(chosen, information=sized))


@pytest.mark.parametrize(("status", "given_back"), [("13", True), ("14", True), ("3", False)])
@pytest.mark.parametrize("trailers_only", [True, False])
def test_what_failed_by_grpc_costs_nothing_and_what_was_refused_does(
    status: str, *, given_back: bool, trailers_only: bool
) -> None:
    machine = by_grpc()
    passed(machine, by_grpc_tests.ask())
    if trailers_only:
        told(machine, by_grpc_tests.headers(end=True, grpc_status=status))
    else:
        told(machine, by_grpc_tests.headers())
        told(machine, ResponseBody(by_grpc_tests.answer(0.75, 0.25), end=False))
        told(machine, ResponseTrailers(("grpc-status",), status))
    assert (machine.cost == NOTHING) is given_back
    assert cost(machine)["bits"] == 0


def test_what_has_left_by_grpc_is_charged_though_the_status_behind_it_is_an_error() -> None:
    machine = by_grpc(caps=Caps(document=1))
    passed(machine, by_grpc_tests.ask())
    told(machine, by_grpc_tests.headers())
    sent = told(machine, ResponseBody(by_grpc_tests.answer(0.75, 0.25), end=False))
    assert isinstance(sent[-1], SendResponseBody)
    told(machine, ResponseTrailers(("grpc-status",), "13"))
    assert (machine.spent["queries"], machine.spent["bits"] > 0) == (1, True)

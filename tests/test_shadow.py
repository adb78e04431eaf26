"""A policy on trial changes nothing, and records what it would have done."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from extproc.caps import Caps
from extproc.events import (
    Abort,
    Action,
    Event,
    RequestBody,
    RequestHeaders,
    RequestTrailers,
    ResponseBody,
    ResponseHeaders,
    ResponseTrailers,
    SendRequestBody,
    SendRequestHeaders,
    SendRequestTrailers,
    SendResponseBody,
    SendResponseHeaders,
    SendResponseTrailers,
)
from extproc.exchange import Exchange
from extproc.limits import SECOND, Limit, Rate
from extproc.prediction import Usage
from extproc.refusal import OVERLOADED
from extproc.reservation import Asker, Reservation
from extproc.reserved_exchange import ReservedExchange
from extproc.shadow import ShadowExchange
from tests.playbook import (
    ANSWER,
    ASK,
    ASK_STREAM,
    EVENT,
    LEAKY,
    SECRET,
    Step,
    headers,
    play,
    policy,
    scripts,
)
from tests.test_content_digest import told


def shadow(**about: Any) -> ShadowExchange:
    return ShadowExchange(Exchange(policy(shadow=True, **about), {}))


def request(body: bytes) -> list[Step]:
    return [
        (RequestHeaders(end=False), [SendRequestHeaders()]),
        (RequestBody(body[:9], end=False), [SendRequestBody(body[:9], end=False)]),
        (RequestBody(body[9:], end=True), [SendRequestBody(body[9:], end=True)]),
    ]


def test_it_reserves_what_the_exchange_on_trial_reserves() -> None:
    daily = Limit(Rate("all/1d", 5, 86_400 * SECOND), "requests", budget=True)
    exchange = ReservedExchange(
        policy(shadow=True, reserved=(daily,)), {}, Reservation(Asker("key:1", arrival=1000.0))
    )
    trial = ShadowExchange(exchange)
    for event in (RequestHeaders(end=False), RequestBody(ASK, end=True)):
        trial.receive(event)
    assert trial.inner is exchange
    assert trial.reserving is not None
    assert trial.reserving is exchange.reserving


def test_an_answer_passes_as_it_came_and_what_it_would_have_lost_is_counted() -> None:
    machine = shadow()
    play(
        machine,
        *request(ASK),
        (headers(server="uvicorn"), [SendResponseHeaders()]),
        (ResponseBody(LEAKY, end=False), [SendResponseBody(LEAKY, end=False)]),
        (ResponseTrailers(("x-sum",)), [SendResponseTrailers()]),
    )
    assert machine.outcome == "shadow:served"
    assert machine.dropped["choices[].logprobs"] == 1
    assert machine.query is not None
    assert machine.query.model == "m"
    assert machine.told.usage == Usage(9, 1)
    assert (machine.held, machine.fault) == (0, "")


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b'{"model":"other","messages":[]}', "shadow:model_not_found"),
        (b"not json at all", "shadow:invalid_request"),
        (b'{"model":"m","messages":[]' + b" " * 100 + b"}", "shadow:request_too_large"),
    ],
)
def test_a_request_that_would_have_been_refused_goes_on(body: bytes, outcome: str) -> None:
    machine = shadow(models=("m",), caps=Caps(request=50))
    play(
        machine,
        *request(body),
        (headers(), [SendResponseHeaders()]),
        (ResponseBody(ANSWER, end=True), [SendResponseBody(ANSWER, end=True)]),
    )
    assert (machine.outcome, machine.held) == (outcome, 0)


def test_a_stream_that_would_have_been_cut_passes() -> None:
    machine = shadow()
    play(
        machine,
        *request(ASK_STREAM),
        (headers("text/event-stream"), [SendResponseHeaders()]),
        (ResponseBody(EVENT, end=False), [SendResponseBody(EVENT, end=False)]),
        (ResponseBody(b"data: x\n\n", end=False), [SendResponseBody(b"data: x\n\n", end=False)]),
        (ResponseBody(EVENT, end=True), [SendResponseBody(EVENT, end=True)]),
    )
    assert (machine.outcome, machine.verdict) == ("shadow:cut", "cut")
    assert machine.fault == "the answer is not valid JSON"


def test_a_request_with_trailers_keeps_them() -> None:
    play(shadow(), (RequestTrailers(("x-sum",)), [SendRequestTrailers()]))


def test_a_message_out_of_order_passes_and_ends_the_trial() -> None:
    machine = shadow()
    play(machine, *request(ASK)[:2])
    assert machine.held > 0
    play(machine, (RequestHeaders(end=False), [SendRequestHeaders()]))
    assert (machine.held, machine.outcome) == (0, "shadow:unfinished")
    assert machine.fault == "RequestHeaders in REQUEST"
    play(machine, (headers(), [SendResponseHeaders()]))


def test_a_process_that_holds_too_much_ends_the_trial_and_not_the_exchange() -> None:
    machine = shadow()
    play(machine, *request(ASK)[:2])
    assert machine.refuse(OVERLOADED) == []
    assert (machine.held, machine.outcome) == (0, "shadow:overloaded")
    play(machine, *request(ASK)[2:])


UNCHANGED: dict[type, Callable[..., object]] = {
    RequestHeaders: lambda _: SendRequestHeaders(),
    RequestBody: lambda event: SendRequestBody(event.data, event.end),
    RequestTrailers: lambda _: SendRequestTrailers(),
    ResponseHeaders: lambda _: SendResponseHeaders(),
    ResponseBody: lambda event: SendResponseBody(event.data, event.end),
    ResponseTrailers: lambda _: SendResponseTrailers(),
}


@given(script=scripts)
def test_whatever_comes_goes_on_as_it_came(script: list[Event]) -> None:
    machine = shadow(kinds={"usage": ()}, models=("m",), caps=Caps(request=200, document=300))
    for event in script:
        assert machine.receive(event) == [UNCHANGED[type(event)](event)]
    assert machine.outcome.startswith("shadow:")
    assert SECRET not in repr([machine.outcome, machine.fault, machine.dropped])


def test_even_a_bug_in_what_is_on_trial_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = shadow()

    def broken(_: Event) -> None:
        raise ZeroDivisionError(SECRET)

    monkeypatch.setattr(machine._exchange, "receive", broken)
    play(machine, *request(ASK), (headers(), [SendResponseHeaders()]))
    assert (machine.fault, machine.held) == ("ZeroDivisionError", 0)


def test_what_is_recorded_is_what_the_client_got_and_what_was_asked() -> None:
    machine = ShadowExchange(Exchange(replace(policy(shadow=True), audited=True), {}))
    play(machine, *request(ASK))
    assert machine.status == 0
    assert len(machine.digests) == 1
    play(machine, (headers(status=201), [SendResponseHeaders()]))
    assert machine.status == 201


class TestWhoAsksIsNotOnTrial:
    def signed(self, body: bytes) -> ShadowExchange:
        return ShadowExchange(Exchange(policy(shadow=True), {}), told(body))

    def test_a_body_that_was_signed_passes(self) -> None:
        machine = self.signed(ASK)
        play(machine, *request(ASK), (headers(), [SendResponseHeaders()]))
        assert machine.outcome == "shadow:unfinished"

    def test_the_end_of_another_body_does_not_pass(self) -> None:
        machine = self.signed(b"other")
        *begin, (end, _) = request(ASK)
        play(machine, *begin, (end, [Abort("extproc_body_not_as_signed")]))
        assert machine.outcome == "body_not_as_signed"

    def test_where_that_is_on_trial_too_another_body_passes_and_is_recorded(self) -> None:
        machine = ShadowExchange(Exchange(policy(shadow=True), {}), told(b"other"), identity=True)
        play(
            machine,
            *request(ASK),
            (headers(), [SendResponseHeaders()]),
            (ResponseBody(LEAKY, end=True), [SendResponseBody(LEAKY, end=True)]),
        )
        assert machine.outcome == "shadow:body_not_as_signed"
        assert machine.verdict == "invalid_api_key"
        assert (machine.held, machine.status) == (0, 200)

    @pytest.mark.parametrize("body", [b"", b"other"])
    def test_what_is_on_trial_has_no_say_in_that(self, body: bytes) -> None:
        machine = ShadowExchange(
            Exchange(policy(shadow=True, caps=Caps(request=3)), {}), told(body)
        )
        aborted: list[Action] = [Abort("extproc_body_not_as_signed")]
        play(
            machine,
            (RequestHeaders(end=False), [SendRequestHeaders()]),
            (RequestBody(ASK, end=False), [SendRequestBody(ASK, end=False)]),
            (RequestTrailers(), aborted),
        )

    def test_a_request_without_its_body_does_not_pass(self) -> None:
        play(self.signed(ASK), (RequestHeaders(end=True), [Abort("extproc_body_not_as_signed")]))

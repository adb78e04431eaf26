"""What is decided about nobody passes as it comes."""

from hypothesis import given

from extproc.events import (
    Event,
    RequestBody,
    RequestHeaders,
    ResponseBody,
    ResponseHeaders,
    SendRequestBody,
    SendRequestHeaders,
    SendResponseBody,
    SendResponseHeaders,
    Work,
)
from extproc.refusal import OVERLOADED
from extproc.shadow import unchanged
from extproc.untouched import Untouched
from tests.playbook import LEAKY, headers, play, with_accidents


@given(with_accidents())
def test_whatever_comes_is_sent_on_as_it_came(events: list[Event]) -> None:
    machine = Untouched("off")
    assert [machine.receive(event) for event in events] == [[unchanged(event)] for event in events]
    assert machine.receive(Work()) == []
    assert (machine.held, machine.done, machine.working) == (0, True, False)
    assert (machine.reserving, machine.filler) == (None, None)


def test_its_outcome_is_what_it_is_told_and_its_status_the_model_servers() -> None:
    machine = Untouched("shadow:unauthenticated")
    play(
        machine,
        (RequestHeaders(end=False), [SendRequestHeaders()]),
        (RequestBody(b"x", end=True), [SendRequestBody(b"x", end=True)]),
        (headers(status=418), [SendResponseHeaders()]),
        (ResponseBody(LEAKY, end=True), [SendResponseBody(LEAKY, end=True)]),
    )
    assert (machine.outcome, machine.status) == ("shadow:unauthenticated", 418)


def test_an_overload_does_not_hold_it_up() -> None:
    machine = Untouched("off")
    assert list(machine.refuse(OVERLOADED)) == []
    assert list(machine.receive(ResponseHeaders(status=200, headers={}, end=True))) != []

"""A body that is not the one that was signed goes nowhere, and says no more than a wrong key."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc import wording
from extproc.content_digest import EMPTY
from extproc.dialects import Status
from extproc.dialects.problem import UNROUTED
from extproc.events import (
    Action,
    Event,
    ReplaceRequest,
    RequestBody,
    RequestHeaders,
    RequestTrailers,
    Respond,
    SendRequestHeaders,
)
from extproc.policy import Policy
from extproc.refusal import FORGED, TOO_LARGE, UNAUTHENTICATED
from extproc.signed_exchange import SignedExchange
from tests.playbook import ASK, SECRET, headers, play, policy
from tests.playbook import told as answer_to
from tests.test_content_digest import told

CHAT = policy()
STRANGER = wording.told(UNAUTHENTICATED, UNROUTED)
REFUSED: Sequence[Action] = [
    Respond(401, STRANGER.headers, STRANGER.body, "extproc_body_not_as_signed")
]


def signed(body: bytes, chosen: Policy = CHAT) -> SignedExchange:
    return SignedExchange(chosen, {}, told(body))


def test_the_body_that_was_signed_goes_on() -> None:
    machine = signed(ASK)
    play(
        machine,
        (RequestHeaders(end=False), []),
        (RequestBody(ASK[:9], end=False), []),
        (RequestBody(ASK[9:], end=True), [ReplaceRequest(ASK)]),
    )


def test_a_request_without_a_body_goes_on_where_none_was_signed() -> None:
    status = policy(Status(), route=("GET", "/health"))
    machine = SignedExchange(status, {}, EMPTY)
    play(machine, (RequestHeaders(end=True), [SendRequestHeaders()]))
    machine = SignedExchange(status, {}, EMPTY)
    assert answer_to(machine, RequestHeaders(end=False)) == []
    [refused] = answer_to(machine, RequestBody(b"{}", end=True))
    assert isinstance(refused, Respond)


@pytest.mark.parametrize(
    "script",
    [
        [RequestHeaders(end=True)],
        [RequestHeaders(end=False), RequestBody(ASK[:-1], end=True)],
        [RequestHeaders(end=False), RequestBody(ASK, end=False), RequestBody(b" ", end=True)],
        [RequestHeaders(end=False), RequestBody(ASK[:-1], end=False), RequestTrailers()],
        [RequestHeaders(end=False), RequestTrailers()],
    ],
)
def test_another_body_is_refused_as_a_wrong_credential_is(script: list[Event]) -> None:
    machine = signed(ASK)
    *begin, last = script
    assert [action for event in begin for action in answer_to(machine, event)] == []
    assert answer_to(machine, last) == REFUSED
    assert machine.outcome == "body_not_as_signed"
    assert machine.query is None
    assert SECRET.encode() not in STRANGER.body


def test_the_cause_shows_in_the_record_alone() -> None:
    assert (FORGED.status, FORGED.code, FORGED.message) == (
        401,
        "invalid_api_key",
        UNAUTHENTICATED.message,
    )
    assert FORGED.headers == UNAUTHENTICATED.headers


def test_a_body_above_the_cap_is_refused_for_that() -> None:
    machine = signed(ASK)
    assert answer_to(machine, RequestHeaders(end=False)) == []
    [refused] = answer_to(machine, RequestBody(bytes(CHAT.caps.request + 1), end=False))
    assert isinstance(refused, Respond)
    assert refused.status == TOO_LARGE.status
    assert answer_to(machine, RequestBody(b"", end=True)) == []


def test_an_answer_that_comes_while_the_request_is_read_ends_it() -> None:
    machine = signed(ASK)
    assert answer_to(machine, RequestHeaders(end=False)) == []
    assert answer_to(machine, headers(status=503))
    assert machine.done


@given(body=st.binary(max_size=40), pieces=st.lists(st.binary(max_size=10), max_size=4))
def test_nothing_but_the_signed_body_reaches_the_model_server(
    body: bytes, pieces: list[bytes]
) -> None:
    machine = SignedExchange(CHAT, {}, told(ASK + body))
    actions = [*answer_to(machine, RequestHeaders(end=False))]
    for piece in (ASK, *pieces):
        actions += answer_to(machine, RequestBody(piece, end=False))
    actions += answer_to(machine, RequestBody(b"", end=True))
    if b"".join(pieces) != body:
        assert actions == REFUSED

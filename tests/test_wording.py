"""Law: what a client is told follows from the class of a refusal and its API, never its cause."""

from typing import Any, get_args

import pytest

from extproc import refusal
from extproc.cause import Cause
from extproc.dialects import Dialect, Generic, OpenAIChat, TeiEmbed
from extproc.dialects.problem import UNROUTED
from extproc.refusal import (
    INVALID_REQUEST,
    RATE_LIMITED,
    UNAUTHENTICATED,
    UNAVAILABLE,
    Refusal,
    of_upstream,
)
from extproc.wording import Wording, told

CLASSES = [known for known in vars(refusal).values() if isinstance(known, Refusal)]
WORDINGS: list[Any] = [UNROUTED, *(each() for each in get_args(Dialect))]


@pytest.mark.parametrize("wording", WORDINGS, ids=lambda each: type(each).__name__)
def test_no_byte_depends_on_the_cause(wording: Wording) -> None:
    for known in CLASSES:
        answers = [told(known.called(cause), wording) for cause in Cause]
        answers.append(told(known, wording))
        assert len({(each.status, (*each.headers.items(),), each.body) for each in answers}) == 1


@pytest.mark.parametrize("wording", WORDINGS, ids=lambda each: type(each).__name__)
def test_header_fields_stand_in_one_order(wording: Wording) -> None:
    order = ["content-type", "retry-after", "www-authenticate", "x-should-retry"]
    for known in CLASSES:
        names = [*told(known, wording).headers]
        assert names == [name for name in order if name in names]
        assert names[0] == "content-type"


def test_what_cannot_be_read_is_told_as_the_servers_of_the_api_do() -> None:
    detail = INVALID_REQUEST.because("No.")
    assert [told(detail, each).status for each in (OpenAIChat(), Generic(), TeiEmbed())] == [
        400,
        400,
        422,
    ]
    assert told(UNAUTHENTICATED, TeiEmbed()).status == 401
    assert told(of_upstream(400), TeiEmbed()).status == 400


@pytest.mark.parametrize(("wait", "final"), [(1, False), (60, False), (61, True), (86_400, True)])
def test_a_wait_that_clients_do_not_keep_ends_their_trying(wait: int, *, final: bool) -> None:
    headers = told(RATE_LIMITED.after(wait), OpenAIChat()).headers
    assert headers.get("x-should-retry") == ("false" if final else None)


@pytest.mark.parametrize("wording", WORDINGS, ids=lambda each: type(each).__name__)
def test_where_lengths_are_hidden_refusals_have_no_field_that_others_lack(wording: Wording) -> None:
    known = {"content-type", "retry-after", "www-authenticate"}
    for each in CLASSES:
        open_, hidden = told(each, wording), told(each, wording, alike=True)
        assert {*hidden.headers} <= known
        assert (hidden.status, hidden.body) == (open_.status, open_.body)
        assert open_.headers.items() >= hidden.headers.items()


@pytest.mark.parametrize("status", [408, 409, 425, 500, 502, 503, 504])
def test_what_may_help_is_not_forbidden(status: int) -> None:
    assert "x-should-retry" not in told(of_upstream(status), UNROUTED).headers
    assert "x-should-retry" not in told(UNAVAILABLE, UNROUTED).headers

"""Law: what a client is told follows from the class of a refusal and its API, never its cause."""

from typing import Any, get_args

import anthropic
import httpx2
import openai
import orjson
import pytest

from extproc import refusal
from extproc.cause import Cause
from extproc.dialects import AnthropicMessages, Dialect, Generic, OpenAIChat, TeiEmbed
from extproc.dialects.grpc_dialect import GrpcDialect
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


PUZZLE = '{"parameters":{"cost":1},"signature":"0"}'


@pytest.mark.parametrize("wording", WORDINGS, ids=lambda each: type(each).__name__)
def test_a_challenge_stands_beside_the_error_of_every_api_and_changes_nothing_else(
    wording: Wording,
) -> None:
    plain, posed = told(RATE_LIMITED, wording), told(RATE_LIMITED.posing(PUZZLE), wording)
    if isinstance(wording, GrpcDialect):
        assert posed.body == plain.body
    else:
        assert orjson.loads(posed.body) == {
            **orjson.loads(plain.body),
            "challenge": orjson.loads(PUZZLE),
        }
    assert [*posed.headers] == [
        "content-type",
        "retry-after",
        "x-should-retry",
        "x-extproc-challenge",
    ]


@pytest.mark.parametrize("wording", WORDINGS, ids=lambda each: type(each).__name__)
def test_where_lengths_are_hidden_a_challenge_stands_in_the_body_alone(wording: Wording) -> None:
    posed = RATE_LIMITED.posing(PUZZLE)
    assert [*told(posed, wording, alike=True).headers] == ["content-type", "retry-after"]
    assert told(posed, wording, alike=True).body == told(posed, wording).body


def answering(wording: Wording, asked: list[str]) -> httpx2.Client:
    """Whoever sends requests to a server that refuses them all."""
    answer = told(RATE_LIMITED.after(1).posing(PUZZLE), wording)

    def refuse(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        return httpx2.Response(answer.status, content=answer.body, headers=dict(answer.headers))

    return httpx2.Client(transport=httpx2.MockTransport(refuse))


def test_openais_client_asks_once_and_hands_the_challenge_over() -> None:
    asked: list[str] = []
    client = openai.OpenAI(api_key="none", http_client=answering(OpenAIChat(), asked))
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}])
    assert "Too many requests." in caught.value.message
    assert (caught.value.type, caught.value.code) == ("rate_limit_error", "rate_limit_exceeded")
    assert caught.value.response.json()["challenge"] == orjson.loads(PUZZLE)
    assert caught.value.response.headers["x-extproc-challenge"]
    assert len(asked) == 1


def test_anthropics_client_asks_once_and_hands_the_challenge_over() -> None:
    asked: list[str] = []
    client = anthropic.Anthropic(api_key="none", http_client=answering(AnthropicMessages(), asked))
    with pytest.raises(anthropic.RateLimitError) as caught:
        client.messages.create(model="m", max_tokens=1, messages=[{"role": "user", "content": "x"}])
    assert caught.value.response.json()["challenge"] == orjson.loads(PUZZLE)
    assert caught.value.response.headers["x-extproc-challenge"]
    assert len(asked) == 1

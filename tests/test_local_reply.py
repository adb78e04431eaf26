import orjson
import pytest

from extproc.dialects import KServeV2, OpenAIChat
from extproc.dialects.problem import PROBLEM, UNROUTED
from extproc.events import (
    Abort,
    Respond,
    ResponseBody,
    ResponseHeaders,
    ResponseTrailers,
    SendResponseHeaders,
)
from extproc.local_reply import LocalReply
from extproc.padding import Buckets
from extproc.refusal import (
    OVERLOADED,
    RATE_LIMITED,
    UNAUTHENTICATED,
    UNKNOWN_MODEL,
    UPSTREAM_UNREADABLE,
    Refusal,
    of_status,
)
from extproc.shaping import Shaping

SECRET = b"upstream connect error: 10.0.0.7:8000"


def test_a_denial_is_written_anew_in_the_shape_of_its_api() -> None:
    reply = LocalReply(UNKNOWN_MODEL, KServeV2())
    headers = {":status": "404", "content-type": "text/plain", "server": "envoy"}
    assert reply.receive(ResponseHeaders(404, headers, end=False)) == [
        Respond(
            404,
            {"content-type": "application/json", "x-should-retry": "false"},
            KServeV2().error(UNKNOWN_MODEL),
            "extproc_model_not_found",
        )
    ]
    assert reply.outcome == "model_not_found"


def test_the_body_of_a_denial_is_not_sent_a_second_time() -> None:
    reply = LocalReply(UNAUTHENTICATED, None)
    assert len(reply.receive(ResponseHeaders(401, {}, end=False))) == 1
    assert reply.receive(ResponseBody(SECRET, end=True)) == []
    assert reply.receive(ResponseTrailers()) == []
    assert reply.receive(ResponseHeaders(401, {}, end=False)) == []
    assert reply.held == 0


def test_what_tells_the_client_when_to_come_back_passes() -> None:
    reply = LocalReply(RATE_LIMITED, None)
    headers = {":status": "429", "retry-after": "10", "www-authenticate": "Bearer", "etag": "x"}
    [action] = reply.receive(ResponseHeaders(429, headers, end=True))
    assert isinstance(action, Respond)
    assert action.headers == {"content-type": PROBLEM, "retry-after": "10"}


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "request_refused"), (404, "not_found"), (503, "unavailable"), (502, "bad_gateway")],
)
@pytest.mark.parametrize("end", [True, False])
def test_an_error_of_envoys_own_has_a_body_whether_it_had_one_or_not(
    status: int, code: str, *, end: bool
) -> None:
    reply = LocalReply(None, None)
    [action] = reply.receive(ResponseHeaders(status, {":status": str(status)}, end=end))
    assert isinstance(action, Respond)
    assert action.status == status
    assert orjson.loads(action.body)["error"]["code"] == code
    expected = of_status(status)
    assert (reply.outcome, reply.verdict) == (expected.outcome, expected.code)


@pytest.mark.parametrize("status", [0, 100, 101, 200, 204, 206, 304, 399])
def test_an_answer_that_is_no_error_is_cut_off(status: int) -> None:
    """Nobody denied it and nobody read its request: it can only be a bypass."""
    headers = {":status": str(status), "content-type": "application/json", "grpc-status": "0"}
    for denied in (None, UNAUTHENTICATED):
        reply = LocalReply(denied, None)
        assert reply.receive(ResponseHeaders(status, headers, end=False)) == [
            Abort("extproc_unprocessed_request")
        ]
        assert reply.receive(ResponseBody(SECRET, end=True)) == []


def test_a_grpc_denial_is_header_fields_alone() -> None:
    headers = {
        ":status": "200",
        "content-type": "application/grpc",
        "grpc-status": "16",
        "grpc-message": SECRET.decode(),
        "server": "envoy",
    }
    reply = LocalReply(UNAUTHENTICATED, None)
    assert reply.receive(ResponseHeaders(200, headers, end=True)) == [
        SendResponseHeaders(
            {"grpc-message": UNAUTHENTICATED.message, "grpc-status": "16"}, ("server",)
        )
    ]
    assert reply.outcome == "invalid_api_key"


def test_an_error_of_envoys_own_to_a_grpc_client_loses_its_words() -> None:
    headers = {":status": "200", "grpc-status": "14", "grpc-message": SECRET.decode()}
    reply = LocalReply(None, None)
    assert reply.receive(ResponseHeaders(200, headers, end=True)) == [
        SendResponseHeaders({"grpc-message": "The model server failed."}, ())
    ]
    assert reply.outcome == "upstream_error"


def test_a_limit_is_told_a_grpc_client_as_one() -> None:
    """Envoy's own table makes UNAVAILABLE of 429, which clients take for a reason to go on."""
    headers = {":status": "200", "grpc-status": "14", "grpc-message": SECRET.decode()}
    [action] = LocalReply(RATE_LIMITED, None).receive(ResponseHeaders(200, headers, end=True))
    assert isinstance(action, SendResponseHeaders)
    assert action.set_headers == {"grpc-message": RATE_LIMITED.message, "grpc-status": "8"}


def test_a_number_that_is_none_is_told_as_our_own() -> None:
    headers = {":status": "200", "grpc-status": "31337"}
    [action] = LocalReply(None, None).receive(ResponseHeaders(200, headers, end=True))
    assert isinstance(action, SendResponseHeaders)
    assert action.set_headers == {
        "grpc-message": UPSTREAM_UNREADABLE.message,
        "grpc-status": "13",
    }


def test_a_grpc_error_that_goes_on_after_its_headers_is_no_local_reply() -> None:
    headers = {":status": "200", "grpc-status": "14"}
    reply = LocalReply(None, None)
    assert reply.receive(ResponseHeaders(200, headers, end=False)) == [
        Abort("extproc_unprocessed_request")
    ]


def test_where_no_place_is_left_to_wait_it_is_out_of_service_whatever_was_denied() -> None:
    reply = LocalReply(UNAUTHENTICATED, None)
    body = UNROUTED.error(OVERLOADED)
    refused = Respond(503, {"content-type": PROBLEM}, body, "extproc_overloaded")
    assert reply.refuse(OVERLOADED) == [refused]
    assert (reply.done, reply.outcome) == (True, "overloaded")
    assert reply.receive(ResponseHeaders(401, {}, end=False)) == []
    assert reply.refuse(OVERLOADED) == []


def test_every_denial_has_one_length() -> None:
    shaping = Shaping(buckets=Buckets(1024))
    for denied in (UNAUTHENTICATED, UNKNOWN_MODEL, RATE_LIMITED, None):
        for dialect in (None, KServeV2()):
            reply = LocalReply(denied, dialect, shaping)
            [action] = reply.receive(ResponseHeaders(404, {}, end=True))
            assert isinstance(action, Respond)
            assert len(action.body) == 1024
            assert orjson.loads(action.body)["error"]


def test_bytes_before_headers_are_not_sent() -> None:
    assert LocalReply(None, None).receive(ResponseBody(SECRET, end=False)) == []


def test_a_reply_knows_the_status_that_the_client_gets() -> None:
    reply = LocalReply(RATE_LIMITED, OpenAIChat())
    assert reply.status == 0
    reply.receive(ResponseHeaders(429, {":status": "429"}, end=True))
    assert reply.status == 429
    grpc = LocalReply(RATE_LIMITED, KServeV2())
    grpc.receive(ResponseHeaders(200, {":status": "200", "grpc-status": "8"}, end=True))
    assert grpc.status == 200


PUZZLE = '{"parameters":{"cost":1},"signature":"0"}'
POSED = RATE_LIMITED.after(5).posing(PUZZLE)


def test_what_ext_authz_had_the_client_solve_is_told_on() -> None:
    reply = LocalReply(RATE_LIMITED, OpenAIChat())
    headers = {":status": "429", **POSED.headers}
    [action] = reply.receive(ResponseHeaders(429, headers, end=False))
    assert isinstance(action, Respond)
    assert action.headers == {"content-type": "application/json", **POSED.headers}
    assert orjson.loads(action.body)["challenge"] == orjson.loads(PUZZLE)


def test_where_lengths_are_hidden_it_is_told_in_the_body_alone() -> None:
    reply = LocalReply(RATE_LIMITED, OpenAIChat(), Shaping(buckets=Buckets(1024)))
    headers = {":status": "429", **POSED.headers}
    [action] = reply.receive(ResponseHeaders(429, headers, end=False))
    assert isinstance(action, Respond)
    assert [*action.headers] == ["content-type", "retry-after"]
    assert orjson.loads(action.body)["challenge"] == orjson.loads(PUZZLE)
    assert len(action.body) == 1024


@pytest.mark.parametrize(
    ("denied", "buckets", "kept"),
    [(RATE_LIMITED, None, True), (RATE_LIMITED, Buckets(1024), False), (None, None, False)],
)
def test_a_grpc_client_gets_a_challenge_in_its_header_field(
    denied: Refusal | None, buckets: Buckets | None, kept: bool
) -> None:
    limits = {"ratelimit": '"daily";r=0', "x-ratelimit-limit-requests": "9"}
    headers = {":status": "200", "grpc-status": "8", "server": "envoy", **limits, **POSED.headers}
    reply = LocalReply(denied, None, Shaping(buckets=buckets))
    [action] = reply.receive(ResponseHeaders(200, headers, end=True))
    assert isinstance(action, SendResponseHeaders)
    for name in ("x-extproc-challenge", *limits):
        assert (name in action.remove_headers) is not kept
    assert "server" in action.remove_headers

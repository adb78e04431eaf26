from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc._pb.envoy.config.core.v3.base_pb2 import HeaderMap, HeaderValue, HeaderValueOption
from extproc._pb.envoy.extensions.filters.http.ext_proc.v3.processing_mode_pb2 import (
    ProcessingMode,
)
from extproc._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse
from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import (
    CommonResponse,
    HttpBody,
    HttpHeaders,
    HttpTrailers,
    ProcessingRequest,
    ProcessingResponse,
    ProtocolConfiguration,
)
from extproc._pb.google.protobuf.struct_pb2 import Struct
from extproc.errors import ProtocolError
from extproc.events import (
    Abort,
    Action,
    Event,
    Peer,
    ReplaceResponse,
    RequestBody,
    RequestHeaders,
    RequestTrailers,
    Respond,
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
from extproc.server.protobuf import (
    AUTHZ,
    Handover,
    allowed,
    checked_request,
    denied,
    event,
    handover,
    reply,
    require_duplex,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
HANDOVERS = st.builds(
    Handover,
    exchange=TEXT,
    config=TEXT,
    route=TEXT,
    tenant=TEXT,
    principal=TEXT,
    parameters=st.dictionaries(TEXT, TEXT, max_size=3).map(lambda found: tuple(found.items())),
    refusal=TEXT,
    network=TEXT,
    client=TEXT,
)
NAMES = st.from_regex(r"[a-z0-9-]{1,10}", fullmatch=True)
VALUES = st.text(st.characters(max_codepoint=255), max_size=10)
HEADERS = st.dictionaries(NAMES, VALUES, max_size=4)
REMOVED = st.lists(NAMES, max_size=3).map(tuple)


def fields(headers: dict[str, str]) -> HeaderMap:
    """As Envoy sends them."""
    return HeaderMap(
        headers=[
            HeaderValue(key=name, raw_value=value.encode("latin-1"))
            for name, value in headers.items()
        ]
    )


def metadata(response: CheckResponse) -> ProcessingRequest:
    """What ext_proc gets of what ext_authz answered, serialised in between as Envoy does."""
    message = ProcessingRequest()
    passed = Struct.FromString(response.dynamic_metadata.SerializeToString())
    message.metadata_context.filter_metadata[AUTHZ].CopyFrom(passed)
    return ProcessingRequest.FromString(message.SerializeToString())


@given(told=HANDOVERS)
def test_an_allowed_requests_handover_arrives_whole(told: Handover) -> None:
    found = handover(metadata(allowed(told, ("authorization",))))
    assert found is not None
    assert dict(found.parameters) == dict(told.parameters)
    assert {name: getattr(found, name) for name in Handover.__slots__ if name != "parameters"} == {
        name: getattr(told, name) for name in Handover.__slots__ if name != "parameters"
    }


@given(told=HANDOVERS)
def test_a_denied_requests_handover_arrives_too(told: Handover) -> None:
    found = handover(metadata(denied(told, 404, {}, b"")))
    assert found is not None
    assert (found.refusal, found.route, found.tenant) == (told.refusal, told.route, told.tenant)


def test_without_ext_authz_there_is_no_handover() -> None:
    message = ProcessingRequest()
    assert handover(message) is None
    message.metadata_context.filter_metadata["envoy.filters.http.jwt_authn"].fields[
        "tenant"
    ].string_value = "acme"
    assert handover(message) is None


def test_a_handover_of_something_else_names_nothing() -> None:
    message = ProcessingRequest()
    told = message.metadata_context.filter_metadata[AUTHZ]
    told.fields["ext_authz_duration"].number_value = 1
    told.fields["tenant"].number_value = 7
    told.fields["parameters"].string_value = "model"
    assert handover(message) == Handover("", "")


def test_the_request_headers_are_no_source_of_a_handover() -> None:
    headers = fields({"tenant": "acme", AUTHZ: "acme", "x-tenant": "acme"})
    assert handover(ProcessingRequest(request_headers=HttpHeaders(headers=headers))) is None


def test_a_check_request_is_read_as_it_came() -> None:
    message = CheckRequest()
    http = message.attributes.request.http
    http.method, http.path = "POST", "/v1/embeddings?x=1"
    http.headers["content-type"] = "application/json"
    source = message.attributes.source
    source.address.socket_address.address = "192.0.2.1"
    source.principal, source.certificate = "spiffe://acme/chat", "-----BEGIN"
    checked = checked_request(message)
    assert (checked.method, checked.path) == ("POST", "/v1/embeddings?x=1")
    assert checked.peer == Peer("192.0.2.1", "spiffe://acme/chat", "-----BEGIN")
    assert dict(checked.headers) == {"content-type": "application/json"}
    assert checked.headers.get("authorization") is None


def test_only_the_dynamic_metadata_that_is_asked_for_is_read() -> None:
    message = CheckRequest()
    metadata = message.attributes.metadata_context.filter_metadata
    payload = metadata["envoy.filters.http.jwt_authn"].fields["jwt_payload"].struct_value
    payload.fields["sub"].string_value = "alice"
    payload.fields["exp"].number_value = 1.5
    payload.fields["aud"].list_value.values.add().string_value = "models"
    metadata["other"].fields["x"].string_value = "y"
    assert checked_request(message).metadata == {}
    found = checked_request(message, ["envoy.filters.http.jwt_authn", "missing"]).metadata
    claims = {"sub": "alice", "exp": 1.5, "aud": ["models"]}
    assert found == {"envoy.filters.http.jwt_authn": {"jwt_payload": claims}}
    assert "missing" not in metadata


def test_an_empty_check_request_is_read_as_nothing() -> None:
    checked = checked_request(CheckRequest())
    assert (checked.method, checked.path, dict(checked.headers)) == ("", "", {})


def test_an_allowed_request_loses_the_headers_named() -> None:
    response = allowed(Handover("e", "v"), ("authorization", "x-api-key"))
    assert response.status.code == 0
    assert response.WhichOneof("http_response") == "ok_response"
    assert list(response.ok_response.headers_to_remove) == ["authorization", "x-api-key"]


@pytest.mark.parametrize("status", [400, 401, 404, 405, 415, 429, 503])
def test_a_denial_denies_twice_over(status: int) -> None:
    response = denied(Handover("e", "v"), status, {"retry-after": "3"}, b'{"error":"no"}')
    assert response.status.code != 0
    assert response.WhichOneof("http_response") == "denied_response"
    denial = response.denied_response
    assert denial.status.code == status
    assert denial.body == '{"error":"no"}'
    # ext_authz reads ``value``; ext_proc would not.
    assert [(option.header.key, option.header.value) for option in denial.headers] == [
        ("retry-after", "3")
    ]
    assert not response.HasField("ok_response")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            ProcessingRequest(
                request_headers=HttpHeaders(
                    headers=fields({":method": "GET", "authorization": "Bearer secret"}),
                    end_of_stream=True,
                )
            ),
            RequestHeaders(end=True),
        ),
        (
            ProcessingRequest(request_body=HttpBody(body=b"a", end_of_stream=False)),
            RequestBody(b"a", end=False),
        ),
        (
            ProcessingRequest(request_trailers=HttpTrailers(trailers=fields({"x-sum": "1"}))),
            RequestTrailers(("x-sum",)),
        ),
        (
            ProcessingRequest(
                response_headers=HttpHeaders(headers=fields({":status": "200", "etag": "x"}))
            ),
            ResponseHeaders(200, {":status": "200", "etag": "x"}, end=False),
        ),
        (
            ProcessingRequest(response_body=HttpBody(body=b"\xff\x00", end_of_stream=True)),
            ResponseBody(b"\xff\x00", end=True),
        ),
        (
            ProcessingRequest(response_trailers=HttpTrailers(trailers=fields({"grpc-status": ""}))),
            ResponseTrailers(("grpc-status",)),
        ),
        (
            ProcessingRequest(
                response_trailers=HttpTrailers(trailers=fields({"x": "s3cret", "grpc-status": "8"}))
            ),
            ResponseTrailers(("x", "grpc-status"), "8"),
        ),
    ],
)
def test_a_message_is_an_event(message: ProcessingRequest, expected: Event) -> None:
    assert event(ProcessingRequest.FromString(message.SerializeToString())) == expected


def test_a_message_of_no_known_type_is_refused() -> None:
    with pytest.raises(ProtocolError, match="unknown type"):
        event(ProcessingRequest())


def response_headers(*pairs: tuple[str, bytes]) -> ResponseHeaders:
    headers = HeaderMap(headers=[HeaderValue(key=key, raw_value=value) for key, value in pairs])
    found = event(ProcessingRequest(response_headers=HttpHeaders(headers=headers)))
    assert isinstance(found, ResponseHeaders)
    return found


def test_a_repeated_header_is_one_value() -> None:
    found = response_headers((":status", b"200"), ("vary", b"a"), ("vary", b"b"))
    assert found.headers["vary"] == "a, b"


def test_a_content_coding_that_hides_behind_another_is_seen() -> None:
    found = response_headers(
        (":status", b"200"), ("content-encoding", b"identity"), ("content-encoding", b"gzip")
    )
    assert found.headers["content-encoding"] == "identity, gzip"


def test_a_header_with_bytes_that_are_no_text_is_read() -> None:
    assert response_headers((":status", b"200"), ("x", b"\xff\xfe")).headers["x"] == "\xff\xfe"


def test_a_header_sent_as_value_is_read() -> None:
    headers = HeaderMap(headers=[HeaderValue(key=":status", value="204")])
    found = event(ProcessingRequest(response_headers=HttpHeaders(headers=headers)))
    assert isinstance(found, ResponseHeaders)
    assert found.status == 204


@pytest.mark.parametrize("status", [b"", b"abc", b"-1", b"2 0", "\u00b2".encode("latin-1"), None])
def test_an_answer_without_a_status_is_refused(status: bytes | None) -> None:
    with pytest.raises(ProtocolError, match="without a status"):
        response_headers(*([] if status is None else [(":status", status)]))


def test_an_answer_with_two_statuses_is_refused() -> None:
    with pytest.raises(ProtocolError, match="without a status"):
        response_headers((":status", b"200"), (":status", b"200"))


Mode: TypeAlias = "ProcessingMode.BodySendMode.ValueType"
MODES = ProcessingMode.BodySendMode.values()


@pytest.mark.parametrize("request_mode", MODES)
@pytest.mark.parametrize("response_mode", MODES)
def test_any_other_body_mode_is_refused(request_mode: Mode, response_mode: Mode) -> None:
    message = ProcessingRequest(
        protocol_config=ProtocolConfiguration(
            request_body_mode=request_mode, response_body_mode=response_mode
        )
    )
    full = ProcessingMode.FULL_DUPLEX_STREAMED
    if (request_mode, response_mode) == (full, full):
        require_duplex(message)
    else:
        with pytest.raises(ProtocolError, match="FULL_DUPLEX_STREAMED"):
            require_duplex(message)


def test_a_message_that_names_no_mode_is_refused() -> None:
    with pytest.raises(ProtocolError, match="FULL_DUPLEX_STREAMED"):
        require_duplex(ProcessingRequest())


def test_an_envoy_that_obeys_nothing_is_refused() -> None:
    full = ProcessingMode.FULL_DUPLEX_STREAMED
    config = ProtocolConfiguration(request_body_mode=full, response_body_mode=full)
    with pytest.raises(ProtocolError, match="observability_mode"):
        require_duplex(ProcessingRequest(protocol_config=config, observability_mode=True))


def read_options(options: list[HeaderValueOption]) -> dict[str, str]:
    """Envoy makes an empty header of a ``value``; what it reads is ``raw_value``."""
    assert all(option.header.value == "" for option in options)
    return {option.header.key: option.header.raw_value.decode("latin-1") for option in options}


def read_reply(response: ProcessingResponse) -> Action:
    """Envoy's reading of a reply."""
    message = ProcessingResponse.FromString(response.SerializeToString())
    match message.WhichOneof("response"):
        case "request_body":
            streamed = message.request_body.response.body_mutation.streamed_response
            return SendRequestBody(streamed.body, streamed.end_of_stream)
        case "response_body":
            streamed = message.response_body.response.body_mutation.streamed_response
            return SendResponseBody(streamed.body, streamed.end_of_stream)
        case "request_headers":
            common = message.request_headers.response
            mutation = common.header_mutation
            return SendRequestHeaders(
                read_options(list(mutation.set_headers)), tuple(mutation.remove_headers)
            )
        case "response_headers":
            return read_response_headers(message.response_headers.response)
        case "request_trailers":
            return SendRequestTrailers(
                tuple(message.request_trailers.header_mutation.remove_headers)
            )
        case "response_trailers":
            mutation = message.response_trailers.header_mutation
            return SendResponseTrailers(
                tuple(mutation.remove_headers), read_options(list(mutation.set_headers))
            )
        case "immediate_response":
            immediate = message.immediate_response
            headers = read_options(list(immediate.headers.set_headers))
            status = int(immediate.status.code)
            number = immediate.grpc_status.status if immediate.HasField("grpc_status") else None
            return Respond(status, headers, immediate.body, immediate.details, number)
        case other:
            raise AssertionError(other)


def read_response_headers(common: CommonResponse) -> Action:
    headers = read_options(list(common.header_mutation.set_headers))
    remove = tuple(common.header_mutation.remove_headers)
    if common.status == CommonResponse.CONTINUE:
        assert not common.HasField("body_mutation")
        return SendResponseHeaders(headers, remove)
    status = int(headers.pop(":status"))
    assert common.body_mutation.WhichOneof("mutation") == "body"
    return ReplaceResponse(status, headers, remove, common.body_mutation.body)


ACTIONS = st.one_of(
    st.builds(SendRequestHeaders, HEADERS, REMOVED),
    st.builds(SendRequestBody, st.binary(max_size=10), st.booleans()),
    st.builds(SendRequestTrailers, REMOVED),
    st.builds(SendResponseHeaders, HEADERS, REMOVED),
    st.builds(SendResponseBody, st.binary(max_size=10), st.booleans()),
    st.builds(SendResponseTrailers, REMOVED, HEADERS),
    st.builds(ReplaceResponse, st.integers(200, 599), HEADERS, REMOVED, st.binary(max_size=10)),
    st.builds(
        Respond,
        st.integers(200, 599),
        HEADERS,
        st.binary(max_size=10),
        st.text("abc_", max_size=5),
        st.none() | st.integers(0, 16),
    ),
)


@given(action=ACTIONS)
def test_an_action_reads_back_as_itself(action: Action) -> None:
    assert read_reply(reply(action)) == action


def test_a_reply_to_a_body_is_streamed_even_where_it_is_empty() -> None:
    """Any other reply in this mode is spurious to Envoy, which then fails the request."""
    for action in (SendRequestBody(b"", end=False), SendResponseBody(b"", end=True)):
        message = reply(action)
        body = getattr(message, message.WhichOneof("response") or "")
        assert body.response.body_mutation.WhichOneof("mutation") == "streamed_response"


def test_an_empty_body_replaces_too() -> None:
    common = reply(ReplaceResponse(200, {}, (), b"")).response_headers.response
    assert common.status == CommonResponse.CONTINUE_AND_REPLACE
    assert common.body_mutation.WhichOneof("mutation") == "body"


def test_the_end_of_a_stream_is_no_message() -> None:
    with pytest.raises(ProtocolError, match="extproc_answer_cut"):
        reply(Abort("extproc_answer_cut"))

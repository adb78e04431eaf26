"""Envoy's messages to events, and actions to Envoy's messages.

Rules: ext_proc's header values are read and written as ``raw_value`` (Envoy turns a ``value`` into
an empty header, envoyproxy/envoy#36982), ext_authz's as ``value``; identity is read from the
dynamic metadata of ext_authz alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from extproc._pb.envoy.config.core.v3.base_pb2 import HeaderMap, HeaderValue, HeaderValueOption
from extproc._pb.envoy.extensions.filters.http.ext_proc.v3.processing_mode_pb2 import (
    ProcessingMode,
)
from extproc._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse
from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import (
    BodyMutation,
    BodyResponse,
    CommonResponse,
    HeaderMutation,
    HeadersResponse,
    ImmediateResponse,
    ProcessingRequest,
    ProcessingResponse,
    StreamedBodyResponse,
    TrailersResponse,
)
from extproc._pb.envoy.type.v3.http_status_pb2 import HttpStatus
from extproc.errors import ProtocolError
from extproc.events import (
    Abort,
    Action,
    CheckedRequest,
    Event,
    Headers,
    ReplaceRequest,
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

AUTHZ = "envoy.filters.http.ext_authz"
"""The namespace of ext_authz's dynamic metadata, whatever the filter is called."""

_DUPLEX = ProcessingMode.FULL_DUPLEX_STREAMED


@dataclass(frozen=True, slots=True)
class Handover:
    """What ext_authz tells ext_proc about an exchange, by dynamic metadata."""

    exchange: str
    config: str
    """Version of the policy table that decided."""
    route: str = ""
    tenant: str = ""
    principal: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    refusal: str = ""
    """Code of the refusal, where the request was denied."""


def checked_request(message: CheckRequest) -> CheckedRequest:
    http = message.attributes.request.http
    # The map as it is: copying all headers would cost more than reading the message.
    return CheckedRequest(http.method, http.path, http.headers)


def allowed(handover: Handover, remove: tuple[str, ...]) -> CheckResponse:
    """Let the request go on, without its credential."""
    response = CheckResponse()
    response.status.code = 0
    response.ok_response.headers_to_remove.extend(remove)
    _write_handover(response, handover)
    return response


def denied(handover: Handover, status: int, headers: Headers, body: bytes) -> CheckResponse:
    response = CheckResponse()
    response.status.code = 7  # PERMISSION_DENIED: any code but OK denies
    denial = response.denied_response
    denial.status.code = status  # type: ignore[assignment]  # Envoy's enum is the HTTP code
    for name, value in headers.items():
        denial.headers.append(HeaderValueOption(header=HeaderValue(key=name, value=value)))
    denial.body = body.decode()
    _write_handover(response, handover)
    return response


def _write_handover(response: CheckResponse, handover: Handover) -> None:
    fields = response.dynamic_metadata.fields
    for name in ("exchange", "config", "route", "tenant", "principal", "refusal"):
        fields[name].string_value = getattr(handover, name)
    for name, value in handover.parameters:
        fields["parameters"].struct_value.fields[name].string_value = value


def handover(message: ProcessingRequest) -> Handover | None:
    """What ext_authz handed over, or None where it did not run."""
    metadata = message.metadata_context.filter_metadata
    if AUTHZ not in metadata:
        return None
    fields = metadata[AUTHZ].fields
    parameters = fields["parameters"].struct_value.fields if "parameters" in fields else {}
    return Handover(
        **{
            name: fields[name].string_value if name in fields else ""
            for name in ("exchange", "config", "route", "tenant", "principal", "refusal")
        },
        parameters=tuple((name, value.string_value) for name, value in parameters.items()),
    )


def require_duplex(message: ProcessingRequest) -> None:
    """Raise ProtocolError unless both bodies come FULL_DUPLEX_STREAMED, and answers are obeyed.

    In any other mode bytes can pass that were never seen here.
    """
    config = message.protocol_config
    if config.request_body_mode != _DUPLEX or config.response_body_mode != _DUPLEX:
        raise ProtocolError("Envoy is not configured for FULL_DUPLEX_STREAMED both ways")
    if message.observability_mode:
        raise ProtocolError("Envoy is configured for observability_mode, which obeys nothing")


def event(message: ProcessingRequest) -> Event:
    """Translate one message of Envoy's.  Raise ProtocolError where it holds no request."""
    match message.WhichOneof("request"):
        case "request_body":
            return RequestBody(message.request_body.body, message.request_body.end_of_stream)
        case "response_body":
            return ResponseBody(message.response_body.body, message.response_body.end_of_stream)
        case "request_headers":
            return RequestHeaders(message.request_headers.end_of_stream)
        case "response_headers":
            got = message.response_headers
            headers = _headers(got.headers)
            return ResponseHeaders(_status(headers), headers, got.end_of_stream)
        case "request_trailers":
            return RequestTrailers(tuple(_headers(message.request_trailers.trailers)))
        case "response_trailers":
            return ResponseTrailers(tuple(_headers(message.response_trailers.trailers)))
        case _:
            raise ProtocolError("Envoy sent a message of an unknown type")


def _headers(sent: HeaderMap) -> dict[str, str]:
    """Field names are lower case already (HTTP/2); repeated fields are joined in order."""
    headers: dict[str, str] = {}
    for header in sent.headers:
        value = header.raw_value.decode("latin-1") or header.value
        known = headers.get(header.key)
        headers[header.key] = value if known is None else f"{known}, {value}"
    return headers


def _status(headers: Mapping[str, str]) -> int:
    status = headers.get(":status", "")
    if not (status.isascii() and status.isdigit()):
        raise ProtocolError("response headers without a status")
    return int(status)


def reply(action: Action) -> ProcessingResponse:  # noqa: C901 - one line per action
    """Translate one action; Abort has no message, the caller ends the stream instead."""
    match action:
        case SendRequestBody(data, end):
            return ProcessingResponse(request_body=_body(data, end))
        case ReplaceRequest(body):
            return ProcessingResponse(request_headers=_replace({}, (), body))
        case SendResponseBody(data, end):
            return ProcessingResponse(response_body=_body(data, end))
        case SendRequestHeaders(headers, remove):
            return ProcessingResponse(request_headers=_continue(headers, remove))
        case SendResponseHeaders(headers, remove):
            return ProcessingResponse(response_headers=_continue(headers, remove))
        case SendRequestTrailers(remove):
            return ProcessingResponse(request_trailers=_trailers(remove))
        case SendResponseTrailers(remove):
            return ProcessingResponse(response_trailers=_trailers(remove))
        case ReplaceResponse(status, headers, remove, body):
            replaced = _replace({":status": str(status), **headers}, remove, body)
            return ProcessingResponse(response_headers=replaced)
        case Respond():
            return _immediate(action)
        case Abort(reason):
            raise ProtocolError(reason)


def _body(data: bytes, end: bool) -> BodyResponse:
    streamed = StreamedBodyResponse(body=data, end_of_stream=end)
    return BodyResponse(
        response=CommonResponse(body_mutation=BodyMutation(streamed_response=streamed))
    )


def _continue(headers: Headers, remove: tuple[str, ...]) -> HeadersResponse:
    return HeadersResponse(response=CommonResponse(header_mutation=_mutation(headers, remove)))


def _trailers(remove: tuple[str, ...]) -> TrailersResponse:
    return TrailersResponse(header_mutation=_mutation({}, remove))


def _replace(headers: Headers, remove: tuple[str, ...], body: bytes) -> HeadersResponse:
    return HeadersResponse(
        response=CommonResponse(
            status=CommonResponse.CONTINUE_AND_REPLACE,
            header_mutation=_mutation(headers, remove),
            body_mutation=BodyMutation(body=body),
        )
    )


def _immediate(action: Respond) -> ProcessingResponse:
    return ProcessingResponse(
        immediate_response=ImmediateResponse(
            status=HttpStatus(code=action.status),  # type: ignore[arg-type]  # the HTTP code
            headers=_mutation(action.headers, ()),
            body=action.body,
            details=action.details,
        )
    )


def _mutation(headers: Headers, remove: tuple[str, ...]) -> HeaderMutation | None:
    if not headers and not remove:
        return None
    return HeaderMutation(set_headers=_options(headers), remove_headers=remove)


def _options(headers: Headers) -> list[HeaderValueOption]:
    return [
        HeaderValueOption(header=HeaderValue(key=name, raw_value=value.encode("latin-1")))
        for name, value in headers.items()
    ]

"""Envoy's messages to events, and actions to Envoy's messages.

Rules: ext_proc's header values are read and written as ``raw_value`` (Envoy turns a ``value`` into
an empty header, envoyproxy/envoy#36982), ext_authz's as ``value``; identity is read from the
dynamic metadata of ext_authz alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.json_format import MessageToDict

from extproc._pb.envoy.config.core.v3.base_pb2 import HeaderMap, HeaderValue, HeaderValueOption
from extproc._pb.envoy.extensions.filters.http.ext_proc.v3.processing_mode_pb2 import (
    ProcessingMode,
)
from extproc._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse
from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import (
    BodyResponse,
    CommonResponse,
    HeadersResponse,
    ImmediateResponse,
    ProcessingRequest,
    ProcessingResponse,
    TrailersResponse,
)
from extproc._pb.google.protobuf.struct_pb2 import Value
from extproc.errors import ProtocolError
from extproc.events import (
    Abort,
    Action,
    CheckedRequest,
    Event,
    Headers,
    Peer,
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
from extproc.limits import Level, Networks

AUTHZ = "envoy.filters.http.ext_authz"
"""The namespace of ext_authz's dynamic metadata, whatever the filter is called."""

_NAMED = "policy"
"""What of the context of a route names its policy: ``check_settings.context_extensions``."""
_NAMES = ("exchange", "config", "route", "tenant", "principal", "refusal")
_ASKED_FOR = (
    *("digest", "solution", "acr", "network", "client", "passed", "policy"),
    *("shadow_would", "traceparent"),
)
"""Texts that only some policies ask for."""
_TEXTS = (*_NAMES, *_ASKED_FOR)
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
    arrival: float = 0.0
    """When the request came, in seconds of wall time."""
    charge: int = 0
    """How many requests it counted as."""
    digest: str = ""
    """The content-digest that the body must have, where that was signed."""
    networks: Networks = field(default_factory=dict)
    """Where it came from, where limits tell that apart."""
    solution: str = ""
    """Of a challenge, as it came, where a budget may ask for one."""
    acr: str = ""
    """How its owner was authenticated, where a budget may ask for that."""
    levels: tuple[Level, ...] = ()
    """What was left of the limits that it was charged to."""
    network: str = ""
    """See Origin, where detection watches."""
    client: str = ""
    passed: str = ""
    """Why it passes untouched: nobody looks, or what it would have been denied for, were it not on
    trial."""
    policy: str = ""
    """See CheckedRequest.policy."""
    shadow_would: str = ""
    """Code of the refusal that it would have got, were it not on trial."""
    traceparent: str = ""
    """Of the request, where it is traced."""


def checked_request(message: CheckRequest, namespaces: Sequence[str] = ()) -> CheckedRequest:
    """``namespaces`` are those of the dynamic metadata to read."""
    http = message.attributes.request.http
    # The map as it is: copying all headers would cost more than reading the message.
    metadata = _metadata(message, namespaces) if namespaces else {}
    named = message.attributes.context_extensions.get(_NAMED, "")
    return CheckedRequest(http.method, http.path, http.headers, _peer(message), metadata, named)


def _metadata(message: CheckRequest, namespaces: Sequence[str]) -> dict[str, dict[str, Any]]:
    found = message.attributes.metadata_context.filter_metadata
    return {name: MessageToDict(found[name]) for name in namespaces if name in found}


def _peer(message: CheckRequest) -> Peer:
    source = message.attributes.source
    address = source.address.socket_address.address
    return Peer(address, source.principal, source.certificate)


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
    for name in _NAMES:
        fields[name].string_value = getattr(handover, name)
    fields["arrival"].number_value = handover.arrival
    if handover.levels:
        fields["levels"].string_value = " ".join(
            f"{each.left}:{each.reset}" for each in handover.levels
        )
    if handover.charge:
        fields["charge"].number_value = handover.charge
    for name in _ASKED_FOR:
        if value := getattr(handover, name):
            fields[name].string_value = value
    for (ipv4, ipv6), value in handover.networks.items():
        fields["networks"].struct_value.fields[f"{ipv4}/{ipv6}"].string_value = value
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
        **{name: fields[name].string_value if name in fields else "" for name in _TEXTS},
        parameters=tuple((name, value.string_value) for name, value in parameters.items()),
        arrival=fields["arrival"].number_value if "arrival" in fields else 0.0,
        charge=int(fields["charge"].number_value) if "charge" in fields else 0,
        networks=_networks(fields["networks"]) if "networks" in fields else {},
        levels=_levels(fields["levels"].string_value) if "levels" in fields else (),
    )


def _levels(text: str) -> tuple[Level, ...]:
    found = (each.partition(":") for each in text.split())
    return tuple(Level(int(left), int(reset)) for left, _, reset in found)


def _networks(value: Value) -> Networks:
    found = {}
    for prefix, network in value.struct_value.fields.items():
        ipv4, _, ipv6 = prefix.partition("/")
        found[int(ipv4), int(ipv6)] = network.string_value
    return found


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
        case "response_body":
            body = message.response_body
            return ResponseBody(body.body, body.end_of_stream)
        case "request_body":
            body = message.request_body
            return RequestBody(body.body, body.end_of_stream)
        case "request_headers":
            return RequestHeaders(message.request_headers.end_of_stream)
        case "response_headers":
            got = message.response_headers
            headers = _headers(got.headers)
            return ResponseHeaders(_status(headers), headers, got.end_of_stream)
        case "request_trailers":
            return RequestTrailers(tuple(_headers(message.request_trailers.trailers)))
        case "response_trailers":
            trailers = _headers(message.response_trailers.trailers)
            return ResponseTrailers(tuple(trailers), trailers.get("grpc-status", ""))
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
    response = ProcessingResponse()
    match action:
        case SendResponseBody(data, end):
            _body(response.response_body, data, end)
        case ReplaceRequest(body, headers):
            _replace(response.request_headers, headers, (), body)
        case SendRequestBody(data, end):
            _body(response.request_body, data, end)
        case SendRequestHeaders(headers, remove):
            _continue(response.request_headers, headers, remove)
        case SendResponseHeaders(headers, remove):
            _continue(response.response_headers, headers, remove)
        case SendRequestTrailers(remove):
            _trailers(response.request_trailers, {}, remove)
        case SendResponseTrailers(remove, headers):
            _trailers(response.response_trailers, headers, remove)
        case ReplaceResponse(status, headers, remove, body):
            set_headers = {":status": str(status), **headers}
            _replace(response.response_headers, set_headers, remove, body)
        case Respond():
            _immediate(response.immediate_response, action)
        case Abort(reason):
            raise ProtocolError(reason)
    return response


# Filled in place: a message that is handed to the constructor of another is copied, and bodies
# stand four messages deep.


def _body(target: BodyResponse, data: bytes, end: bool) -> None:
    streamed = target.response.body_mutation.streamed_response
    streamed.body = data
    streamed.end_of_stream = end


def _continue(target: HeadersResponse, headers: Headers, remove: tuple[str, ...]) -> None:
    target.response.SetInParent()
    _mutate(target.response, headers, remove)


def _trailers(target: TrailersResponse, headers: Headers, remove: tuple[str, ...]) -> None:
    target.SetInParent()
    if headers:
        target.header_mutation.set_headers.extend(_options(headers))
    if remove:
        target.header_mutation.remove_headers.extend(remove)


def _replace(
    target: HeadersResponse, headers: Headers, remove: tuple[str, ...], body: bytes
) -> None:
    target.response.status = CommonResponse.CONTINUE_AND_REPLACE
    _mutate(target.response, headers, remove)
    target.response.body_mutation.body = body


def _mutate(target: CommonResponse, headers: Headers, remove: tuple[str, ...]) -> None:
    if headers:
        target.header_mutation.set_headers.extend(_options(headers))
    if remove:
        target.header_mutation.remove_headers.extend(remove)


def _immediate(target: ImmediateResponse, action: Respond) -> None:
    target.status.code = action.status  # type: ignore[assignment]  # Envoy's enum is the HTTP code
    target.headers.set_headers.extend(_options(action.headers))
    target.body = action.body
    target.details = action.details
    if action.grpc_status is not None:
        target.grpc_status.status = action.grpc_status


def _options(headers: Headers) -> list[HeaderValueOption]:
    return [
        HeaderValueOption(header=HeaderValue(key=name, raw_value=value.encode("latin-1")))
        for name, value in headers.items()
    ]

"""The sans-IO vocabulary: events go into an Exchange, actions come out.

Names and order are Envoy's: envoy/service/ext_proc/v3/external_processor.proto.  Header names
are lower case; a repeated header is one value joined by ", " (RFC 9110, section 5.3).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CheckedRequest:
    """What Envoy's ext_authz filter tells about a request before its body."""

    method: str
    path: str
    """With the query string, as normalised by Envoy."""
    headers: Headers


@dataclass(frozen=True, slots=True)
class RequestHeaders:
    """The request begins.  Its fields are ext_authz's business: identity never comes from here."""

    end: bool
    """True where the request has no body and no trailers."""


@dataclass(frozen=True, slots=True)
class RequestBody:
    data: bytes
    end: bool


@dataclass(frozen=True, slots=True)
class RequestTrailers:
    """The request ends with trailers; their fields are not ours to keep."""

    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResponseHeaders:
    status: int
    headers: Headers
    end: bool


@dataclass(frozen=True, slots=True)
class ResponseBody:
    data: bytes
    end: bool


@dataclass(frozen=True, slots=True)
class ResponseTrailers:
    names: tuple[str, ...] = ()


Event = (
    RequestHeaders
    | RequestBody
    | RequestTrailers
    | ResponseHeaders
    | ResponseBody
    | ResponseTrailers
)


@dataclass(frozen=True, slots=True)
class SendRequestHeaders:
    """Let the request headers go on, changed."""

    set_headers: Headers = field(default_factory=dict)
    remove_headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplaceRequest:
    """Let the request go on with this body, whole: one message where two would do the same.

    Envoy's CONTINUE_AND_REPLACE.  Only after the end of the request's body.
    """

    body: bytes


@dataclass(frozen=True, slots=True)
class SendRequestBody:
    data: bytes
    end: bool


@dataclass(frozen=True, slots=True)
class SendRequestTrailers:
    remove_headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SendResponseHeaders:
    set_headers: Headers = field(default_factory=dict)
    remove_headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplaceResponse:
    """Answer with these headers and this body; whatever body Envoy still has is dropped.

    Envoy's CONTINUE_AND_REPLACE: it also gives a body to a response that had none.
    """

    status: int
    set_headers: Headers
    remove_headers: tuple[str, ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class SendResponseBody:
    data: bytes
    end: bool


@dataclass(frozen=True, slots=True)
class SendResponseTrailers:
    remove_headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Respond:
    """Answer the client ourselves and stop: Envoy's ImmediateResponse.

    Only while no byte of the response has left; see Exchange.
    """

    status: int
    headers: Headers
    body: bytes
    details: str
    """For Envoy's access log (%RESPONSE_CODE_DETAILS%): a code, never a value."""


@dataclass(frozen=True, slots=True)
class Abort:
    """End the stream with an error, so that Envoy cuts the response: it is never a clean end."""

    reason: str


Action = (
    SendRequestHeaders
    | ReplaceRequest
    | SendRequestBody
    | SendRequestTrailers
    | SendResponseHeaders
    | ReplaceResponse
    | SendResponseBody
    | SendResponseTrailers
    | Respond
    | Abort
)

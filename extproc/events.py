"""The sans-IO vocabulary: events go into an Exchange, actions come out.

Names and order are Envoy's: envoy/service/ext_proc/v3/external_processor.proto.  Header names
are lower case; a repeated header is one value joined by ", " (RFC 9110, section 5.3).
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

Headers = Mapping[str, str]


class Peer(Struct, frozen=True):
    """The other end of the connection that Envoy accepted; no header of the request has a say."""

    address: str = ""
    """Its IP address."""
    uri: str = ""
    """The URI SAN of its verified certificate, else its DNS SAN or subject, as Envoy picks."""
    certificate: str = ""
    """Its verified certificate, PEM in URL encoding."""


class CheckedRequest(Struct, frozen=True):
    """What Envoy's ext_authz filter tells about a request before its body."""

    method: str
    path: str
    """With the query string, as normalised by Envoy."""
    headers: Headers
    peer: Peer = Peer()
    metadata: Mapping[str, Mapping[str, Any]] = {}
    """What filters before ext_authz found out, by their namespace; only where a credential of the
    policy asks for it.  No header of the request can write it."""
    policy: str = ""
    """The name of the policy that Envoy's configuration has for its route; empty where it has none,
    and the tenant's own holds."""


class RequestHeaders(Struct, frozen=True):
    """The request begins.  Its fields are ext_authz's business: identity never comes from here."""

    end: bool
    """True where the request has no body and no trailers."""


class RequestBody(Struct, frozen=True):
    data: bytes
    end: bool


class RequestTrailers(Struct, frozen=True):
    """The request ends with trailers; their fields are not ours to keep."""

    names: tuple[str, ...] = ()


class ResponseHeaders(Struct, frozen=True):
    status: int
    headers: Headers
    end: bool


class ResponseBody(Struct, frozen=True):
    data: bytes
    end: bool


class ResponseTrailers(Struct, frozen=True):
    names: tuple[str, ...] = ()
    grpc_status: str = ""
    """The value of this one, empty where it is missing."""


Event = (
    RequestHeaders
    | RequestBody
    | RequestTrailers
    | ResponseHeaders
    | ResponseBody
    | ResponseTrailers
)


class Work(Struct, frozen=True):
    """Nothing has come: go on with what the last event began, see Exchange.working."""


class SendRequestHeaders(Struct, frozen=True):
    """Let the request headers go on, changed."""

    set_headers: Headers = {}
    remove_headers: tuple[str, ...] = ()


class ReplaceRequest(Struct, frozen=True):
    """Let the request go on with this body, whole: one message where two would do the same.

    Envoy's CONTINUE_AND_REPLACE.  Only after the end of the request's body.
    """

    body: bytes
    set_headers: Headers = {}


class SendRequestBody(Struct, frozen=True):
    data: bytes
    end: bool


class SendRequestTrailers(Struct, frozen=True):
    remove_headers: tuple[str, ...] = ()


class SendResponseHeaders(Struct, frozen=True):
    set_headers: Headers = {}
    remove_headers: tuple[str, ...] = ()


class ReplaceResponse(Struct, frozen=True):
    """Answer with these headers and this body; whatever body Envoy still has is dropped.

    Envoy's CONTINUE_AND_REPLACE: it also gives a body to a response that had none.
    """

    status: int
    set_headers: Headers
    remove_headers: tuple[str, ...]
    body: bytes


class SendResponseBody(Struct, frozen=True):
    data: bytes
    end: bool


class SendResponseTrailers(Struct, frozen=True):
    remove_headers: tuple[str, ...] = ()
    set_headers: Headers = {}


class Respond(Struct, frozen=True):
    """Answer the client ourselves and stop: Envoy's ImmediateResponse.

    Only while no byte of the response has left; see Exchange.
    """

    status: int
    headers: Headers
    body: bytes
    details: str
    """For Envoy's access log (%RESPONSE_CODE_DETAILS%): a code, never a value."""
    grpc_status: int | None = None
    """Where the client speaks gRPC: Envoy then answers with trailers alone, the body as words."""


class Abort(Struct, frozen=True):
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

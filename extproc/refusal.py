"""Why a request is not served: one status, one code and one fixed wording per class.

Rule: a refusal says nothing that only an insider could know.  A forbidden model reads like an
unknown one; an unknown key like a missing one.  Details name fields and bounds, never values.
"""

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a client is told; a dialect gives it the error shape of its API."""

    status: int
    code: str
    message: str
    kind: str = "invalid_request_error"
    """OpenAI's ``error.type``, which its clients map to exception classes."""
    retry_after: int | None = None
    """Seconds, for the Retry-After header (RFC 9110, section 10.2.3)."""

    def because(self, detail: str) -> "Refusal":
        """Return the same refusal with a message that names the field or bound."""
        return replace(self, message=detail)

    def after(self, seconds: int) -> "Refusal":
        """Return the same refusal, to be tried again after so many seconds."""
        return replace(self, retry_after=seconds)


UNAUTHENTICATED: Final = Refusal(
    401, "invalid_api_key", "Missing or invalid credential.", "authentication_error"
)
UNKNOWN_ROUTE: Final = Refusal(404, "not_found", "Unknown path.")
METHOD_NOT_ALLOWED: Final = Refusal(405, "method_not_allowed", "Method not allowed.")
UNKNOWN_MODEL: Final = Refusal(404, "model_not_found", "The model does not exist.")
UNSUPPORTED_MEDIA_TYPE: Final = Refusal(
    415, "unsupported_media_type", "This path accepts application/json, without content coding."
)
INVALID_REQUEST: Final = Refusal(400, "invalid_request", "The request is malformed.")
TOO_LARGE: Final = Refusal(413, "request_too_large", "The request body is too large.")
RATE_LIMITED: Final = Refusal(429, "rate_limit_exceeded", "Too many requests.", "rate_limit_error")
OVERLOADED: Final = Refusal(503, "overloaded", "The gateway is at capacity.", "server_error")
UNAVAILABLE: Final = Refusal(503, "unavailable", "The gateway cannot decide now.", "server_error")
UPSTREAM_UNREADABLE: Final = Refusal(
    502, "bad_gateway", "The model server's answer cannot be released.", "server_error"
)
_BY_STATUS: Final = {
    refusal.status: refusal for refusal in (UNAUTHENTICATED, UNKNOWN_ROUTE, TOO_LARGE, RATE_LIMITED)
}


def of_status(status: int) -> Refusal:
    """The refusal that stands for an error status of the model server or of Envoy itself.

    Its own body and reason never pass: they name hosts, versions and values.
    Statuses that are no errors, and unknown server errors, read as 502.
    """
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 400 <= status < 500:
        return Refusal(status, "request_refused", "The model server refused the request.")
    if status in {500, 503, 504}:
        return Refusal(status, "upstream_error", "The model server failed.", "server_error")
    return UPSTREAM_UNREADABLE


_BY_CODE: Final = {
    refusal.code: refusal
    for refusal in (
        UNAUTHENTICATED,
        UNKNOWN_ROUTE,
        METHOD_NOT_ALLOWED,
        UNKNOWN_MODEL,
        UNSUPPORTED_MEDIA_TYPE,
        RATE_LIMITED,
        UNAVAILABLE,
    )
}


def of_code(code: str) -> Refusal | None:
    """The refusal that ext_authz named to ext_proc; None where it named none of ours."""
    return _BY_CODE.get(code)

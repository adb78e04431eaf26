"""Why a request is not served: one status, one code, one wording and one set of header fields per
class.

Rule: a refusal says nothing that only an insider could know.  A forbidden model reads like an
unknown one, here or at the model server; an unknown key like a missing one; what is out of service
alike whatever it is.  The cause is for the record alone.  Details name fields and bounds of the
client's own request, never values.
"""

from base64 import b64decode, b64encode
from bisect import bisect_left
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from extproc.cause import Cause

SHOULD_RETRY: Final = "x-should-retry"
"""Obeyed by the clients of OpenAI and Anthropic, which else try twice more."""
CHALLENGE: Final = "x-extproc-challenge"
"""A field of our own: WWW-Authenticate (RFC 9110, section 11.6.1) would have to name a scheme, and
schemes are answered in Authorization, where the caller's key is."""
PATIENCE: Final = 60
"""Seconds: of a Retry-After above it those clients take no notice, and try again within eight."""
_PASSING: Final = frozenset({408, 409, 425})
"""Errors of a request that may be none a moment later (RFC 9110, section 15.5; RFC 8470)."""


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
    cause: Cause | None = field(default=None, compare=False)
    """What the record calls it; for a client it is no difference."""
    challenge: str = ""
    """What WWW-Authenticate says besides (RFC 6750, section 3; RFC 9470, section 3)."""
    fields: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Header fields that say how much is left of the caller's limits; see rate_limit_fields.py."""
    puzzle: str = ""
    """As JSON, what would let the request pass if it were solved; see proof_of_work.py."""

    @property
    def outcome(self) -> str:
        """What the record calls it."""
        return self.cause.value if self.cause is not None else self.code

    @property
    def final(self) -> bool:
        """Whether a client that tries again at once, or after its own short wait, tries in vain."""
        if self.status == 429 and not self.puzzle:
            return coarse(self.retry_after or 0) > PATIENCE
        return 400 <= self.status < 500 and self.status not in _PASSING

    @property
    def headers(self) -> Mapping[str, str]:
        """The header fields beside the media type: the same for every cause of a class."""
        fields = {}
        if self.status == 429:
            fields["retry-after"] = str(coarse(self.retry_after or 0))
        if self.status == 401:
            fields["www-authenticate"] = f'Bearer realm="extproc"{self.challenge}'
        if self.final:
            fields[SHOULD_RETRY] = "false"
        fields |= self.fields
        if self.puzzle:
            fields[CHALLENGE] = b64encode(self.puzzle.encode()).decode()
        return fields

    def called(self, cause: Cause) -> "Refusal":
        """Return the same refusal, with what the record calls it."""
        return replace(self, cause=cause)

    def because(self, detail: str) -> "Refusal":
        """Return the same refusal with a message that names the field or bound."""
        return replace(self, message=detail)

    def demanding(self, acr_values: Collection[str]) -> "Refusal":
        """Return the same refusal, with what the client may ask its issuer for (RFC 9470)."""
        if not acr_values:
            return self
        return replace(self, challenge=f'{self.challenge}, acr_values="{" ".join(acr_values)}"')

    def telling(self, fields: Mapping[str, str]) -> "Refusal":
        """Return the same refusal, with what is left of the caller's limits."""
        return replace(self, fields=fields) if fields else self

    def posing(self, puzzle: str) -> "Refusal":
        """Return the same refusal, with what the client may solve."""
        return replace(self, puzzle=puzzle)

    def posing_field(self, value: str) -> "Refusal":
        """Return the same refusal, with what ext_authz had the client solve."""
        try:
            return self.posing(b64decode(value, validate=True).decode())
        except ValueError:
            return self

    def after(self, seconds: int) -> "Refusal":
        """Return the same refusal, to be tried again after so many seconds."""
        return replace(self, retry_after=seconds)

    def after_field(self, value: str) -> "Refusal":
        """Return the same refusal, with the wait of another's Retry-After where that is seconds."""
        known = value.isascii() and value.isdigit() and len(value) < 10
        return self.after(int(value)) if known else self


UNAUTHENTICATED: Final = Refusal(
    401,
    "invalid_api_key",
    "Missing or invalid credential.",
    "authentication_error",
    # RFC 6750, section 3.1: the one code for whatever is wrong with a token, or that there is none.
    challenge=', error="invalid_token"',
)
REPLAYED: Final = UNAUTHENTICATED.called(Cause.REPLAYED)
FORGED: Final = UNAUTHENTICATED.called(Cause.BODY_NOT_AS_SIGNED)
INSUFFICIENT: Final = Refusal(
    401,
    "insufficient_user_authentication",
    "A stronger credential is required.",
    "authentication_error",
    challenge=', error="insufficient_user_authentication"',
)
UNKNOWN_ROUTE: Final = Refusal(404, "not_found", "Unknown path.")
METHOD_NOT_ALLOWED: Final = Refusal(405, "method_not_allowed", "Method not allowed.")
UNKNOWN_MODEL: Final = Refusal(404, "model_not_found", "The model does not exist.")
FEATURE_NOT_AVAILABLE: Final = Refusal(
    403, "feature_not_available", "The feature is not available."
)
UNSUPPORTED_MEDIA_TYPE: Final = Refusal(
    415, "unsupported_media_type", "This path accepts application/json, without content coding."
)
INVALID_REQUEST: Final = Refusal(400, "invalid_request", "The request is malformed.")
TOO_LARGE: Final = Refusal(413, "request_too_large", "The request body is too large.")
HEADERS_TOO_LARGE: Final = Refusal(
    431, "request_headers_too_large", "The request header fields are too large."
)
RATE_LIMITED: Final = Refusal(429, "rate_limit_exceeded", "Too many requests.", "rate_limit_error")
UNAVAILABLE: Final = Refusal(503, "unavailable", "The service cannot answer now.", "server_error")
OVERLOADED: Final = UNAVAILABLE.called(Cause.OVERLOADED)
UNAUDITED: Final = UNAVAILABLE.called(Cause.AUDIT_UNAVAILABLE)
UNCOUNTED: Final = UNAVAILABLE.called(Cause.STORE_UNAVAILABLE)
UNASKED: Final = UNAVAILABLE.called(Cause.ISSUER_UNAVAILABLE)
UPSTREAM_UNREADABLE: Final = Refusal(
    502, "bad_gateway", "The model server's answer cannot be released.", "server_error"
)
_BY_STATUS: Final = {
    **{
        refusal.status: refusal
        for refusal in (UNAUTHENTICATED, UNKNOWN_ROUTE, TOO_LARGE, RATE_LIMITED)
    },
    503: UNAVAILABLE.called(Cause.UPSTREAM_ERROR),
}
_WAITS: Final = (1, 2, 5, 10, 20, 60, 120, 300, 600, 1200, 3600, 7200, 21_600, 43_200)
_DAY: Final = 86_400


def coarse(seconds: float) -> int:
    """How long to wait, rounded up to one of few: to the second, a limit that a tenant's keys share
    would tell each of them what the others do.
    """
    place = bisect_left(_WAITS, seconds)
    return _WAITS[place] if place < len(_WAITS) else int(-(-seconds // _DAY)) * _DAY


def of_status(status: int) -> Refusal:
    """The refusal that stands for an error status of Envoy itself.

    Its own body and reason never pass: they name hosts, versions and values.
    Statuses that are no errors, and unknown server errors, read as 502.
    """
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 400 <= status < 500:
        return Refusal(status, "request_refused", "The model server refused the request.")
    if status in {500, 504}:
        return Refusal(status, "upstream_error", "The model server failed.", "server_error")
    return UPSTREAM_UNREADABLE


def of_upstream(status: int, retry_after: str = "") -> Refusal:
    """The refusal that stands for an error status of the model server, with its Retry-After.

    The path was one it has, so what it does not find is the model: a name that the policy allows
    and the model server does not know reads like one that the policy forbids.
    """
    if status == UNKNOWN_MODEL.status:
        return UNKNOWN_MODEL.called(Cause.UPSTREAM_NOT_FOUND)
    return of_status(status).after_field(retry_after)


_BY_CODE: Final = {
    refusal.code: refusal
    for refusal in (
        UNAUTHENTICATED,
        INSUFFICIENT,
        UNKNOWN_ROUTE,
        METHOD_NOT_ALLOWED,
        UNKNOWN_MODEL,
        UNSUPPORTED_MEDIA_TYPE,
        HEADERS_TOO_LARGE,
        RATE_LIMITED,
        UNAVAILABLE,
    )
}


def of_code(code: str) -> Refusal | None:
    """The refusal that ext_authz named to ext_proc; None where it named none of ours."""
    return _BY_CODE.get(code)

"""Errors of APIs that have no shape of their own for them: problem details (RFC 9457).

Rule: no ``instance`` and no ``type`` that would lead anywhere; ``code`` names the class, as the
other shapes do.  What is said where the caller may not know which routes there are has a member
``error`` besides (section 3.2), which is where the clients of OpenAI and Anthropic look.
"""

from typing import ClassVar, Final

import orjson

from extproc.refusal import Refusal

PROBLEM: Final = "application/problem+json"
_TITLES: Final = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
"""RFC 9457, section 4.2.1: of ``about:blank`` the title is the status phrase."""


def problem(refusal: Refusal) -> bytes:
    """``{"type", "title", "status", "detail", "code"}``"""
    return orjson.dumps(_members(refusal))


def _members(refusal: Refusal) -> dict[str, object]:
    other = "Client Error" if refusal.status < 500 else "Server Error"
    return {
        "type": "about:blank",
        "title": _TITLES.get(refusal.status, other),
        "status": refusal.status,
        "detail": refusal.message,
        "code": refusal.code,
    }


class Unrouted:
    """Words of no API: to strangers, about paths that there are not, and for Envoy itself."""

    ERRORS: ClassVar[str] = PROBLEM
    MALFORMED: ClassVar[int] = 400

    def error(self, refusal: Refusal) -> bytes:
        error = {
            "message": refusal.message,
            "type": refusal.kind,
            "param": None,
            "code": refusal.code,
        }
        return orjson.dumps({**_members(refusal), "error": error})


UNROUTED: Final = Unrouted()

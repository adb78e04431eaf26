"""Refusals and errors as gRPC names them: a number, and our own words.

Rule: the number of an error of the model server passes, its words never do, as for HTTP.
A limit is RESOURCE_EXHAUSTED here, where Envoy's own table would make it UNAVAILABLE.

Source: gRPC "Status codes and their use in gRPC".
"""

from typing import Final

from extproc.refusal import UNKNOWN_MODEL, Refusal, of_status

OK: Final = "0"
_BY_STATUS: Final = {
    400: 3,  # INVALID_ARGUMENT
    401: 16,  # UNAUTHENTICATED
    403: 7,  # PERMISSION_DENIED
    404: 12,  # UNIMPLEMENTED: no such call
    405: 12,
    413: 8,  # RESOURCE_EXHAUSTED
    415: 3,
    431: 8,
    429: 8,
    500: 13,  # INTERNAL
    502: 13,
    503: 14,  # UNAVAILABLE
    504: 4,  # DEADLINE_EXCEEDED
}
_UNKNOWN: Final = 2
_NOT_FOUND: Final = 5
_FAILURES: Final = frozenset({1, 2, 4, 10, 13, 14, 15})
"""Where the model server, or what it runs on, failed; the others refuse the request."""
_HIGHEST: Final = 16


def of_refusal(refusal: Refusal) -> int:
    if refusal.code == UNKNOWN_MODEL.code:
        return _NOT_FOUND
    return _BY_STATUS.get(refusal.status, _UNKNOWN)


def failure(status: str) -> Refusal | None:
    """What an answer's ``grpc-status`` says went wrong; None where it is no error's number."""
    known = status.isascii() and status.isdigit() and len(status) <= 2
    if not known or not 1 <= int(status) <= _HIGHEST or status.startswith("0"):
        return None
    return of_status(500 if int(status) in _FAILURES else 400)

"""The error shape of Google's APIs (google.rpc.Status in JSON, AIP-193)."""

from typing import Final

import orjson

from extproc.refusal import Refusal

_NAMES: Final = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def google_error(refusal: Refusal) -> bytes:
    """``{"error": {"code", "message", "status"}}``, where ``code`` is the HTTP status."""
    name = _NAMES.get(refusal.status, "INTERNAL" if refusal.status >= 500 else "INVALID_ARGUMENT")
    error = {"code": refusal.status, "message": refusal.message, "status": name}
    return orjson.dumps({"error": error})

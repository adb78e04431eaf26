import orjson
import pytest

from extproc.dialects.google_error import google_error
from extproc.refusal import (
    INVALID_REQUEST,
    METHOD_NOT_ALLOWED,
    RATE_LIMITED,
    TOO_LARGE,
    UNAUTHENTICATED,
    UNKNOWN_MODEL,
    UPSTREAM_UNREADABLE,
    Refusal,
    of_status,
)


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (INVALID_REQUEST, "INVALID_ARGUMENT"),
        (TOO_LARGE, "INVALID_ARGUMENT"),
        (UNAUTHENTICATED, "UNAUTHENTICATED"),
        (of_status(403), "PERMISSION_DENIED"),
        (UNKNOWN_MODEL, "NOT_FOUND"),
        (METHOD_NOT_ALLOWED, "UNIMPLEMENTED"),
        (RATE_LIMITED, "RESOURCE_EXHAUSTED"),
        (of_status(500), "INTERNAL"),
        (UPSTREAM_UNREADABLE, "INTERNAL"),
        (of_status(503), "UNAVAILABLE"),
        (of_status(504), "DEADLINE_EXCEEDED"),
    ],
)
def test_an_error_names_its_status_twice(refusal: Refusal, status: str) -> None:
    assert orjson.loads(google_error(refusal)) == {
        "error": {"code": refusal.status, "message": refusal.message, "status": status}
    }

import grpc
import pytest

from extproc import grpc_status, refusal
from extproc.refusal import Refusal, of_status


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (refusal.UNAUTHENTICATED, grpc.StatusCode.UNAUTHENTICATED),
        (refusal.UNKNOWN_ROUTE, grpc.StatusCode.UNIMPLEMENTED),
        (refusal.METHOD_NOT_ALLOWED, grpc.StatusCode.UNIMPLEMENTED),
        (refusal.UNKNOWN_MODEL, grpc.StatusCode.NOT_FOUND),
        (refusal.UNSUPPORTED_MEDIA_TYPE, grpc.StatusCode.INVALID_ARGUMENT),
        (refusal.INVALID_REQUEST, grpc.StatusCode.INVALID_ARGUMENT),
        (refusal.INVALID_REQUEST.because("'x'"), grpc.StatusCode.INVALID_ARGUMENT),
        (refusal.TOO_LARGE, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (refusal.RATE_LIMITED, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (refusal.OVERLOADED, grpc.StatusCode.UNAVAILABLE),
        (refusal.UNAVAILABLE, grpc.StatusCode.UNAVAILABLE),
        (refusal.UPSTREAM_UNREADABLE, grpc.StatusCode.INTERNAL),
        (of_status(500), grpc.StatusCode.INTERNAL),
        (of_status(504), grpc.StatusCode.DEADLINE_EXCEEDED),
        (of_status(403), grpc.StatusCode.PERMISSION_DENIED),
        (Refusal(418, "teapot", "No."), grpc.StatusCode.UNKNOWN),
    ],
)
def test_a_refusal_has_the_number_that_clients_act_on(
    said: Refusal, status: grpc.StatusCode
) -> None:
    assert grpc_status.of_refusal(said) == status.value[0]


@pytest.mark.parametrize("status", [each for each in grpc.StatusCode if each.value[0]])
def test_every_error_has_words_of_ours(status: grpc.StatusCode) -> None:
    failed = grpc_status.failure(str(status.value[0]))
    assert failed is not None
    assert failed.message in {"The model server refused the request.", "The model server failed."}


def test_who_is_at_fault_shows() -> None:
    refused, failed = grpc_status.failure("3"), grpc_status.failure("13")
    assert (refused, failed) == (of_status(400), of_status(500))


@pytest.mark.parametrize(
    "status", ["", "0", "00", "03", "17", "31337", "-1", "x", "³", "3, 0", " 3", "999999999999"]
)
def test_what_is_no_errors_number_is_none(status: str) -> None:
    assert grpc_status.failure(status) is None

from extproc import errors
from extproc.errors import ClientError, ExtprocError
from extproc.refusal import INVALID_REQUEST, TOO_LARGE


def test_every_error_has_one_base() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    raised = {kind for kind in kinds if issubclass(kind, Exception)}
    assert all(issubclass(kind, ExtprocError) for kind in raised)
    assert {kind.__name__ for kind in raised - {ExtprocError}} == {
        "ClientError",
        "ConfigError",
        "IssuerUnavailable",
        "Malformed",
        "OperatorError",
        "ProtocolError",
        "StoreUnavailable",
        "UpstreamError",
    }


def test_a_clients_error_carries_the_refusal_with_its_detail() -> None:
    assert ClientError("'n' must be 1.").refusal == INVALID_REQUEST.because("'n' must be 1.")
    assert ClientError("Over 9 bytes.", TOO_LARGE).refusal == TOO_LARGE.because("Over 9 bytes.")
    assert str(ClientError("Over 9 bytes.", TOO_LARGE)) == "Over 9 bytes."

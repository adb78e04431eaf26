import pytest

from extproc import credentials
from extproc.credentials import CREDENTIAL_HEADERS, principal
from extproc.events import Headers

KEY = b"k" * 32


def test_a_request_has_the_principal_it_proves() -> None:
    assert principal({"x-api-key": "xk-1"}, KEY) == credentials.api_key.principal(
        {"x-api-key": "xk-1"}, KEY
    )
    assert principal({}, KEY) is None


def test_a_request_that_proves_two_principals_proves_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(headers: Headers, hmac_key: bytes) -> str | None:
        return headers.get("x-other")

    both = (credentials.api_key.principal, other)
    monkeypatch.setattr(credentials, "CREDENTIALS", both)
    assert principal({"x-other": "other:1"}, KEY) == "other:1"
    assert principal({"x-other": "other:1", "x-api-key": "xk-1"}, KEY) is None
    assert principal({}, KEY) is None


def test_every_header_that_holds_a_credential_is_taken_out() -> None:
    assert CREDENTIAL_HEADERS == ("authorization", "x-api-key", "api-key", "x-goog-api-key")

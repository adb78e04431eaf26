from typing import get_args

from extproc.credentials import ApiKey, ApiKeys, Credential, Proof
from extproc.credentials.api_key import principal
from extproc.events import CheckedRequest
from tests.credentials.proving import proven_by

KEY = b"k" * 32
LISTED = principal({"x-api-key": "xk-1"}, KEY)


def asking(key: str) -> CheckedRequest:
    return CheckedRequest("POST", "/", {"x-api-key": key})


def test_every_credential_names_itself() -> None:
    kinds = get_args(Credential) or (Credential,)
    assert {kind.__struct_config__.tag for kind in kinds} >= {"api_key"}


def test_a_key_proves_the_tenant_that_lists_it() -> None:
    assert LISTED is not None
    keys = ApiKeys(ApiKey(strength=2), KEY, {LISTED: "acme"})
    assert proven_by(keys.prove(asking("xk-1"), 0.0)) == Proof(LISTED, 2, "acme")
    assert proven_by(keys.prove(asking("xk-2"), 0.0)) is None
    assert proven_by(keys.prove(asking(""), 0.0)) is None


def test_every_header_that_holds_a_key_is_taken_out() -> None:
    assert ApiKeys.headers == ("authorization", "x-api-key", "api-key", "x-goog-api-key")

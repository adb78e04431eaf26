from collections.abc import Mapping
from typing import Any

import pytest

from extproc.cause import Cause
from extproc.credentials import EnvoyJwt, EnvoyJwts, Proof
from extproc.credentials.envoy_jwt import NAMESPACE
from extproc.events import CheckedRequest
from tests.credentials.proving import proven_by
from tests.issuer import AUDIENCE, CLAIMS, NAME, NOW, token

SETTINGS = EnvoyJwt(issuer=NAME, audience=AUDIENCE, tenant="org", strength=3)
SAID = {**CLAIMS, "org": "acme", "scope": "chat"}


def proven(
    metadata: Mapping[str, Any], settings: EnvoyJwt = SETTINGS, **headers: str
) -> Proof | None:
    request = CheckedRequest("POST", "/", headers, metadata=metadata)
    return proven_by(EnvoyJwts(settings, ["acme"]).prove(request, NOW))


def test_what_envoy_has_verified_is_believed() -> None:
    found = proven({NAMESPACE: {"jwt_payload": SAID}})
    assert found == Proof(f"jwt:{NAME}|alice", 3, "acme", frozenset({"chat"}))


def test_the_policy_says_where_the_filter_writes() -> None:
    there = EnvoyJwt(issuer=NAME, payload="partners")
    assert proven({NAMESPACE: {"partners": SAID}}, there) is not None
    assert proven({NAMESPACE: {"jwt_payload": SAID}}, there) is None


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {NAMESPACE: {}},
        {NAMESPACE: {"jwt_payload": None}},
        {NAMESPACE: {"jwt_payload": "alice"}},
        {NAMESPACE: {"failed_status": {"code": 2}}},
        {NAMESPACE: {"jwt_payload": {**SAID, "iss": "https://other.example.com"}}},
        {NAMESPACE: {"jwt_payload": {**SAID, "aud": "other"}}},
        {NAMESPACE: {"jwt_payload": {**SAID, "exp": NOW - 61}}},
        {NAMESPACE: {"jwt_payload": {**SAID, "org": "beta"}}},
        {"envoy.filters.http.header_to_metadata": {"jwt_payload": SAID}},
    ],
)
def test_nothing_else_is(metadata: Mapping[str, Any]) -> None:
    assert proven(metadata) is None


def test_no_header_proves_anything() -> None:
    assert proven({}, authorization=f"Bearer {token()}", jwt_payload="alice") is None


def test_the_token_goes_no_further() -> None:
    assert EnvoyJwts.headers == ("authorization",)


def test_the_record_is_told_whether_envoy_said_anything() -> None:
    def why(metadata: Mapping[str, Any]) -> object:
        request = CheckedRequest("POST", "/", {}, metadata=metadata)
        return EnvoyJwts(SETTINGS, ["acme"]).prove(request, NOW)

    assert why({}) is Cause.CREDENTIAL_MISSING
    assert why({NAMESPACE: {"jwt_payload": "x"}}) is Cause.TOKEN_CLAIMS
    assert why({NAMESPACE: {"jwt_payload": {**SAID, "exp": NOW - 100}}}) is Cause.TOKEN_EXPIRED

"""Signed requests, signed by a real client: what counts, and all that does not."""

import hmac
from base64 import b64encode
from collections.abc import Collection
from typing import Any, get_args

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from extproc.cause import Cause
from extproc.content_digest import EMPTY
from extproc.credentials.proof import Once
from extproc.credentials.signature import Signature, Signatures, SigningKey
from extproc.credentials.signature_base import base
from extproc.credentials.signature_fields import read
from extproc.credentials.signature_key import Algorithm, VerifyingKey, checked_by
from extproc.events import CheckedRequest
from tests.credentials.proving import proven_by
from tests.credentials.signing import (
    COVERED,
    NOW,
    PRIVATE,
    SECRET,
    Message,
    checked,
    public,
    sign,
    signed,
)

DECIDING = ("content-type", "authorization", "x-api-key")


def verifying(algorithm: Any, tenant: str = "acme") -> VerifyingKey:
    check = checked_by(algorithm, public(PRIVATE[algorithm]))
    assert check is not None
    return VerifyingKey(tenant, algorithm, check)


KEYS = {
    "partner-1": verifying("ed25519"),
    "partner-2": verifying("hmac-sha256", "beta"),
    "partner-3": verifying("ecdsa-p256-sha256"),
    "partner-4": verifying("rsa-pss-sha512"),
}


def prover(deciding: Collection[str] = DECIDING, **settings: Any) -> Signatures:
    listed = {name: SigningKey(key.tenant, key.algorithm) for name, key in KEYS.items()}
    return Signatures(Signature(keys=listed, **settings), KEYS, deciding)


SIGNATURES = prover()


def refused(request: CheckedRequest, now: float = NOW) -> bool:
    return proven_by(SIGNATURES.prove(request, now)) is None


def changed(request: CheckedRequest, **headers: str | None) -> CheckedRequest:
    """None takes a field out."""
    found: dict[str, str | None] = dict(request.headers)
    found |= {name.replace("_", "-"): value for name, value in headers.items()}
    return structs.replace(request, headers={k: v for k, v in found.items() if v is not None})


def test_a_signed_request_proves_whose_key_signed_it() -> None:
    proof = proven_by(SIGNATURES.prove(signed(), NOW))
    assert proof is not None
    assert (proof.principal, proof.strength, proof.tenant) == ("sig:partner-1", 3, "acme")
    assert proof.digest == signed().headers["content-digest"]
    assert proof.once is not None
    assert (proof.once.since, proof.once.until) == (NOW - 5, NOW + 65)
    assert len(proof.once.key) == 64


@pytest.mark.parametrize(("key_id", "key"), KEYS.items())
def test_every_algorithm_is_one_that_a_real_client_signs_with(
    key_id: str, key: VerifyingKey
) -> None:
    request = signed(key_id=key_id, algorithm=key.algorithm)
    proof = proven_by(SIGNATURES.prove(request, NOW))
    assert proof is not None
    assert (proof.principal, proof.tenant) == (f"sig:{key_id}", key.tenant)
    assert refused(changed(request, content_type="text/plain"))


def test_there_is_a_key_here_for_each_algorithm() -> None:
    assert {key.algorithm for key in KEYS.values()} == {*get_args(get_args(Algorithm)[0])}


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"path": "/v1/other"},
        {"path": "/v1/embeddings?x=1"},
        {"path": "/v1/embeddings/"},
    ],
)
def test_a_request_other_than_the_signed_one_proves_nothing(change: dict[str, str]) -> None:
    assert refused(structs.replace(signed(), **change))


@pytest.mark.parametrize(
    "headers",
    [
        {":authority": "evil.example"},
        {":authority": None},
        {"content_type": "text/csv"},
        {"content_type": None},
        {"content_digest": EMPTY},
        {"content_digest": None},
        {"content_digest": ""},
        {"signature": None},
        {"signature_input": None},
        {"signature": ""},
        {"signature": "pyhms=:AAAA:"},
        {"signature_input": ""},
        {"authorization": "Bearer xk-1"},
        {"x_api_key": "xk-1"},
    ],
)
def test_a_field_other_than_the_signed_one_proves_nothing(headers: dict[str, str | None]) -> None:
    assert refused(changed(signed(), **headers))


def test_fields_that_decide_nothing_may_be_added_on_the_way() -> None:
    request = changed(signed(), x_request_id="1", via="1.1 proxy", accept="*/*")
    assert proven_by(SIGNATURES.prove(request, NOW)) is not None


def test_another_credential_in_the_request_must_be_signed_with_it() -> None:
    headers = {"content-type": "application/json", "authorization": "Bearer xk-1"}
    assert refused(signed(headers=headers))
    request = signed(headers=headers, covered=(*COVERED, "authorization"))
    assert proven_by(SIGNATURES.prove(request, NOW)) is not None
    assert refused(changed(request, authorization="Bearer xk-2"))
    assert refused(changed(request, authorization=None))


@pytest.mark.parametrize("left_out", ["@method", "@authority", "@path", "content-type"])
def test_what_decides_must_be_covered(left_out: str) -> None:
    assert refused(signed(covered=[name for name in COVERED if name != left_out]))


def test_the_target_uri_stands_for_its_parts() -> None:
    url = "https://api.example/v1/embeddings?a=b"
    covered = ("@method", "@target-uri", "content-type")
    assert proven_by(SIGNATURES.prove(signed(url=url, covered=covered), NOW)) is not None
    assert refused(structs.replace(signed(url=url, covered=covered), path="/v1/embeddings"))


def test_a_query_must_be_covered_where_there_is_one() -> None:
    url = "https://api.example/v1/embeddings?alt=sse"
    assert refused(signed(url=url))
    request = signed(url=url, covered=(*COVERED, "@query"))
    assert proven_by(SIGNATURES.prove(request, NOW)) is not None
    assert refused(structs.replace(request, path="/v1/embeddings?alt=json"))
    assert refused(signed(url="https://api.example/v1/embeddings?"))


def test_a_body_needs_a_digest() -> None:
    assert refused(signed(None))


def test_without_a_digest_the_body_must_be_empty() -> None:
    request = signed(None, method="GET", headers={}, covered=COVERED[:3])
    proof = proven_by(SIGNATURES.prove(request, NOW))
    assert proof is not None
    assert proof.digest == EMPTY


def test_a_digest_that_is_not_covered_is_not_believed() -> None:
    headers = {"content-digest": "sha-256=:QCOX2p1fs1yd0r3pZG4HuCHrjFO6xTYjA6DlKpJcnK8=:"}
    request = signed(None, method="GET", headers={}, covered=COVERED[:3])
    proof = proven_by(SIGNATURES.prove(changed(request, **headers), NOW))
    assert proof is not None
    assert proof.digest == EMPTY


def by_hand(digest: str, alg: str = "hmac-sha256") -> CheckedRequest:
    """By hmac-sha256, as no client of the library would."""
    request = changed(signed(key_id="partner-2"), content_digest=digest)
    said = read(request.headers["signature-input"].replace("ed25519", alg), "pyhms=::")
    assert said is not None
    text = base(request, said)
    assert text is not None
    made = b64encode(hmac.digest(SECRET, text, "sha256")).decode()
    return changed(request, signature=f"pyhms=:{made}:", signature_input=f"pyhms={said.parameters}")


@pytest.mark.parametrize("value", ["md5=:AAAA:", "sha-256=:AAAA:", "sha-256", "sha-1=:AAAA:", ""])
def test_a_digest_that_says_nothing_proves_nothing(value: str) -> None:
    assert refused(by_hand(value))
    assert proven_by(SIGNATURES.prove(by_hand(EMPTY), NOW)) is not None


def test_a_policy_may_ask_for_more() -> None:
    more = prover(components=("date", "@scheme"))
    headers = {"content-type": "application/json", "date": "Tue, 20 Apr 2021 02:07:55 GMT"}
    assert proven_by(more.prove(signed(headers=headers), NOW)) is None
    covered = (*COVERED, "date", "@scheme")
    assert proven_by(more.prove(signed(headers=headers, covered=covered), NOW)) is not None


@pytest.mark.parametrize(
    ("now", "counts"),
    [
        (NOW - 5.01, False),
        (NOW - 5, True),
        (NOW, True),
        (NOW + 65, True),
        (NOW + 65.01, False),
        (NOW + 1e9, False),
        (0.0, False),
    ],
)
def test_a_signature_counts_for_a_minute_and_what_clocks_may_be_off(
    now: float, counts: bool
) -> None:
    assert (proven_by(SIGNATURES.prove(signed(), now)) is not None) == counts


@pytest.mark.parametrize(
    ("expires", "now", "counts"),
    [
        (NOW + 10, NOW + 15, True),
        (NOW + 10, NOW + 15.1, False),
        (NOW + 3600, NOW + 65.1, False),
        (NOW - 10, NOW, False),
        (NOW - 1000, NOW - 1000, False),
    ],
)
def test_it_ends_when_it_says_but_never_later_than_the_policy(
    expires: float, now: float, counts: bool
) -> None:
    proof = proven_by(SIGNATURES.prove(signed(expires=expires), now))
    assert (proof is not None) == counts
    assert proof is None or proof.once is None or proof.once.until >= now


def test_the_policy_says_how_old_a_signature_may_be() -> None:
    long = prover(max_age="5m", skew="1s")
    assert proven_by(long.prove(signed(), NOW + 301)) is not None
    assert proven_by(long.prove(signed(), NOW + 301.1)) is None


def test_a_key_that_is_not_listed_proves_nothing() -> None:
    assert refused(signed(key_id="partner-9"))
    assert refused(signed(key_id="partner-3"))


def test_a_nonce_is_needed() -> None:
    assert refused(signed(nonce=None))


def test_alg_must_be_the_algorithm_of_the_key_where_it_is_named() -> None:
    assert proven_by(SIGNATURES.prove(signed(include_alg=False), NOW)) is not None
    assert proven_by(SIGNATURES.prove(by_hand(EMPTY), NOW)) is not None
    for other in ("ed25519", "none", "HMAC-SHA256"):
        assert refused(by_hand(EMPTY, alg=other))


def test_a_public_key_signs_nothing_as_a_shared_secret() -> None:
    """Key confusion: whoever knows the public key would forge signatures of partner-1."""
    pem = public(PRIVATE["ed25519"])
    assert refused(signed(algorithm="hmac-sha256", key=pem))
    assert refused(signed(algorithm="hmac-sha256", key=pem, include_alg=False))


def test_a_key_signs_for_itself_alone() -> None:
    assert refused(signed(key_id="partner-1", algorithm="hmac-sha256", key=SECRET))
    assert refused(signed(key_id="partner-2"))


def test_more_than_one_signature_proves_nothing() -> None:
    both = Message(
        "POST", "https://api.example/v1/embeddings", {"content-type": "application/json"}
    )
    sign(both, label="a")
    sign(both, label="b", append_if_signature_exists=True, use_existing_digest=True)
    assert "b=" in both.headers["Signature-Input"]
    assert refused(checked(both))


def test_nonces_are_apart_by_key_and_together_by_what_is_signed() -> None:
    def once(**more: Any) -> Once:
        proof = proven_by(SIGNATURES.prove(signed(**more), NOW))
        assert proof is not None
        assert proof.once is not None
        return proof.once

    first = once()
    assert once(body=b"{}", created=NOW - 9).key == first.key
    assert once(nonce="n2").key != first.key
    assert once(key_id="partner-2", algorithm="hmac-sha256").key != first.key
    assert "n1" not in first.key


def test_an_oversized_signature_is_not_read() -> None:
    assert refused(changed(signed(), signature=f"pyhms=:{'A' * 100_000}:"))
    assert refused(changed(signed(), signature_input="pyhms=(" + '"a" ' * 100_000))
    assert refused(signed(nonce="n" * 300))


def test_what_a_signature_is_in_is_taken_out() -> None:
    assert Signatures.headers == ("signature", "signature-input", "content-digest")


PARTS = st.sampled_from(
    ["signature", "signature-input", "content-digest", "content-type", ":authority"]
)


@given(name=PARTS, data=st.data())
def test_one_character_changed_anywhere_proves_nothing(name: str, data: st.DataObject) -> None:
    request = signed(key_id="partner-2", algorithm="hmac-sha256")
    value = request.headers[name]
    at = data.draw(st.integers(0, len(value) - 1))
    put = data.draw(st.characters(min_codepoint=0x20, max_codepoint=0x7E))
    found = value[:at] + put + value[at + 1 :]
    if name == ":authority" and found.lower() == value:
        return  # the same host
    assert refused(changed(request, **{name: found})) or found == value


@given(
    headers=st.dictionaries(
        st.sampled_from(["signature", "signature-input", "content-digest", "content-type"]),
        st.text(max_size=80),
    ),
    method=st.text(max_size=8),
    path=st.text(max_size=20),
    now=st.floats(allow_nan=False),
)
def test_whatever_stands_in_a_request_nothing_is_raised(
    headers: dict[str, str], method: str, path: str, now: float
) -> None:
    assert proven_by(SIGNATURES.prove(CheckedRequest(method, path, headers), now)) is None
    request = CheckedRequest(method, path, {**signed().headers, **headers})
    assert proven_by(SIGNATURES.prove(request, now)) is None


@pytest.mark.parametrize(
    ("request_", "now", "cause"),
    [
        (CheckedRequest("GET", "/", {}), NOW, Cause.CREDENTIAL_MISSING),
        (changed(signed(), signature="sig1=:AAAA"), NOW, Cause.SIGNATURE_MALFORMED),
        (changed(signed(), signature=None), NOW, Cause.SIGNATURE_MALFORMED),
        (signed(key_id="nobody"), NOW, Cause.SIGNATURE_KEY_UNKNOWN),
        (signed(key_id="partner-3"), NOW, Cause.SIGNATURE_ALGORITHM),
        (signed(created=NOW + 6), NOW, Cause.SIGNATURE_EARLY),
        (signed(), NOW + 66, Cause.SIGNATURE_EXPIRED),
        (changed(signed(), x_api_key="k"), NOW, Cause.SIGNATURE_UNCOVERED),
        (changed(signed(), content_digest="sha-1=:AAAA:"), NOW, Cause.SIGNATURE_DIGEST),
        (changed(signed(), content_type="text/plain"), NOW, Cause.SIGNATURE_WRONG),
        (signed(key=ed25519.Ed25519PrivateKey.generate()), NOW, Cause.SIGNATURE_WRONG),
    ],
)
def test_the_record_is_told_why(request_: CheckedRequest, now: float, cause: Cause) -> None:
    assert SIGNATURES.prove(request_, now) is cause

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OctKey, RSAKey

from extproc.credentials.key_set import MAX_KEYS, key_set
from extproc.credentials.keyring import MAX_BYTES
from extproc.errors import Malformed
from tests.issuer import EC, OTHER_EC, OTHER_RSA, RSA, jwks, made, public

BOTH = ("RS256", "ES256")


def test_a_key_is_found_by_its_id_and_algorithm() -> None:
    found = key_set(jwks(RSA, EC, OTHER_RSA), BOTH)
    assert set(found) == {
        ("rsa-1", "RS256"),
        ("rsa-2", "RS256"),
        ("ec-1", "ES256"),
        (None, "ES256"),  # the only one: a token need not say by which
    }


def test_only_the_algorithms_of_the_policy_are_served() -> None:
    assert set(key_set(jwks(RSA, EC), ("ES256",))) == {("ec-1", "ES256"), (None, "ES256")}


@pytest.mark.parametrize(
    ("algorithm", "others"),
    [
        ("RS256", {"RS384", "RS512", "PS256", "PS384", "PS512"}),
        ("ES256", set()),
        ("ES384", set()),
        ("ES512", set()),
        ("Ed25519", {"EdDSA"}),
    ],
)
def test_a_key_serves_the_algorithms_of_its_kind(algorithm: str, others: set[str]) -> None:
    every = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
    found = key_set(jwks(made(algorithm, "k")), (*every, "Ed25519", "EdDSA"))
    assert {served for kid, served in found if kid == "k"} == {algorithm, *others}


def test_a_key_that_names_its_algorithm_serves_no_other() -> None:
    found = key_set(jwks(public(RSA, alg="RS256")), ("RS256", "PS256"))
    assert set(found) == {("rsa-1", "RS256"), (None, "RS256")}


def test_a_key_without_an_id_is_for_tokens_that_name_none() -> None:
    assert set(key_set(jwks(made("ES256")), BOTH)) == {(None, "ES256")}


def test_of_two_keys_without_an_id_neither_is_certain() -> None:
    assert set(key_set(jwks(made("ES256"), made("ES256"), RSA), BOTH)) == {
        ("rsa-1", "RS256"),
        (None, "RS256"),
    }


USELESS: list[Any] = [
    OctKey.import_key("0123456789abcdef0123456789abcdef").as_dict(),
    {**RSA.as_dict(private=True)},
    public(RSA, use="enc"),
    public(RSA, key_ops=["encrypt"]),
    public(RSA, key_ops="verify"),
    public(RSA, alg="RSA-OAEP"),
    public(RSA, alg=["RS256"]),
    public(RSA, kid=7),
    public(RSA, n="AQAB"),
    public(RSA, n=7),
    public(RSA, n="!"),
    public(EC, crv="P-384"),
    public(EC, x="AAAA"),
    public(EC, crv="secp256k1"),
    public(made("Ed25519", "ed"), crv="X25519"),
    {"kty": "RSA"},
    {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"},
    {"kty": ["RSA"]},
    {},
    "key",
    None,
]


@pytest.mark.parametrize("useless", USELESS)
def test_a_key_of_no_use_is_passed_over(useless: Any) -> None:
    every = ("RS256", "ES256", "Ed25519")
    assert set(key_set(jwks(useless, OTHER_EC), every)) == {("ec-2", "ES256"), (None, "ES256")}
    with pytest.raises(Malformed, match="it has no key for any of the algorithms"):
        key_set(jwks(useless), every)


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_an_rsa_key_may_be_neither_short_nor_endless() -> None:
    short = RSAKey.generate_key(1024, {"kid": "short"}, auto_kid=False)
    assert set(key_set(jwks(short, EC), BOTH)) == {("ec-1", "ES256"), (None, "ES256")}
    endless = public(RSA, n="v" + "_" * 1800)
    assert set(key_set(jwks(endless, EC), BOTH)) == {("ec-1", "ES256"), (None, "ES256")}


def test_two_keys_of_one_id_and_algorithm_are_no_set() -> None:
    with pytest.raises(Malformed, match="two keys for RS256 have one id"):
        key_set(jwks(RSA, public(OTHER_RSA, kid="rsa-1")), BOTH)
    assert len(key_set(jwks(RSA, public(EC, kid="rsa-1")), BOTH)) == 4


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"{}",
        b'{"keys":{}}',
        b'{"keys":null}',
        b"[" * 5000,
        orjson.dumps({"keys": [{}] * (MAX_KEYS + 1)}),
        b" " * (MAX_BYTES + 1),
    ],
)
def test_what_is_no_set_is_malformed(content: bytes) -> None:
    with pytest.raises(Malformed):
        key_set(content, BOTH)


@given(st.binary(max_size=64) | st.lists(st.sampled_from(USELESS)).map(jwks))
def test_whatever_it_is_only_malformed_is_raised(content: bytes) -> None:
    with pytest.raises(Malformed):
        key_set(content, ("RS256",))

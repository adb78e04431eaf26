import hashlib
import hmac
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import Key

from extproc.cause import Cause
from extproc.credentials import Jwt, Jwts, Proof
from extproc.credentials.bearer import LONGEST
from extproc.credentials.jwt import _header
from extproc.credentials.key_set import key_set
from extproc.events import CheckedRequest
from tests.credentials.proving import proven_by
from tests.issuer import (
    AUDIENCE,
    CLAIMS,
    EC,
    NAME,
    NOW,
    OTHER_EC,
    OTHER_RSA,
    RSA,
    b64,
    confused,
    jwks,
    made,
    public,
    signed,
    token,
)

KEY = b"k" * 32
ALICE = Proof(f"jwt:{NAME}|alice", 1)


def prover(*keys: Any, algorithms: tuple[Any, ...] = ("RS256", "ES256"), **more: Any) -> Jwts:
    """One that knows these keys; two of them unless told otherwise."""
    made_of = {"issuer": NAME, "audience": AUDIENCE, "jwks": "file:keys", **more}
    jwts = Jwts(Jwt(algorithms=algorithms, **made_of), KEY, ["acme"])
    jwts.keyring.renew(key_set(jwks(*(keys or (RSA, EC))), algorithms), NOW + 1000)
    return jwts


def asking(value: str) -> CheckedRequest:
    return CheckedRequest("POST", "/", {"authorization": f"Bearer {value}"})


def proven(value: str, jwts: Jwts | None = None, now: float = NOW) -> Proof | None:
    return proven_by((jwts or prover()).prove(asking(value), now))


@pytest.mark.parametrize("typ", ["at+jwt", "JWT", "jwt", "application/at+jwt", None])
@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS256"), (EC, "ES256")])
def test_a_token_of_the_issuer_proves_its_subject(
    key: Key, algorithm: str, typ: str | None
) -> None:
    assert proven(token(key, algorithm, {"typ": typ})) == ALICE


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize(
    "algorithm",
    ["RS384", "RS512", "PS256", "PS384", "PS512", "ES384", "ES512", "Ed25519", "EdDSA"],
)
def test_every_algorithm_of_a_policy_works(algorithm: str) -> None:
    key = RSA if algorithm[1] == "S" and algorithm[0] in "RP" else made(algorithm, "k")
    assert proven(token(key, algorithm), prover(key, algorithms=(algorithm,))) == ALICE


def test_the_tenant_and_the_scopes_are_in_its_claims() -> None:
    jwts = prover(tenant="org", acr={"gold": 4})
    found = proven(token(org="acme", scope="chat", acr="gold"), jwts)
    assert found == Proof(f"jwt:{NAME}|alice", 4, "acme", frozenset({"chat"}), acr="gold")
    assert proven(token(org="beta"), jwts) is None


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": NOW - 61},
        {"exp": None},
        {"nbf": NOW + 61},
        {"iat": NOW + 61},
        {"iss": "https://other.example.com"},
        {"iss": None},
        {"aud": "https://other.example.com"},
        {"aud": None},
        {"sub": None},
        {"cnf": {"jkt": "x"}},
    ],
)
def test_a_token_that_says_something_else_proves_nothing(claims: dict[str, Any]) -> None:
    assert proven(token(**claims)) is None


# Forged.


@pytest.mark.parametrize(
    "forged",
    [
        token(OTHER_RSA, header={"kid": "rsa-1"}),
        token(OTHER_EC, "ES256", {"kid": "ec-1"}),
        confused(RSA),
        confused(EC),
        token(RSA, header={"kid": "ec-1"}),
        token(EC, "ES256", {"kid": "rsa-1"}),
        token(RSA, "PS256"),
        token(RSA, "RS512"),
        token(OTHER_RSA),
        token(OTHER_RSA, header={"jwk": public(OTHER_RSA)}),
        token(OTHER_RSA, header={"jwk": public(OTHER_RSA), "kid": "rsa-1"}),
        token(OTHER_RSA, header={"jku": "https://evil.example.com", "kid": "rsa-1"}),
        token(RSA, header={"crit": ["exp"], "exp": 1}),
        token(RSA, header={"crit": []}),
        token(RSA, header={"crit": ["b64"], "b64": True}),
        token(RSA, header={"typ": "logout+jwt"}),
        token(RSA, header={"typ": "dpop+jwt"}),
        token(RSA, header={"typ": ""}),
    ],
)
def test_what_is_signed_in_another_way_proves_nothing(forged: str) -> None:
    assert proven(forged) is None


def test_a_secret_among_the_keys_signs_nothing() -> None:
    secret = {"kty": "oct", "k": b64(b"s" * 32), "kid": "secret"}
    head = b64(b'{"alg":"HS256","kid":"secret"}') + "." + b64(orjson.dumps(dict(CLAIMS)))
    mac = hmac.digest(b"s" * 32, head.encode(), hashlib.sha256)
    assert proven(f"{head}.{b64(mac)}", prover(RSA, secret)) is None


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", "", "HS256", "RS256", None, 7])
def test_a_token_without_a_signature_proves_nothing(algorithm: object) -> None:
    header = b64(orjson.dumps({"alg": algorithm, "kid": "rsa-1"}))
    payload = b64(orjson.dumps(dict(CLAIMS)))
    assert proven(f"{header}.{payload}.") is None
    assert proven(f"{header}.{payload}") is None
    assert proven(f"{header}.{payload}.AAAA") is None


@pytest.mark.parametrize(
    "header",
    [
        b'{"alg":"RS256","kid":"rsa-1","b64":false}',
        b'{"alg":"RS256","kid":["rsa-1"]}',
        b'{"alg":"RS256","kid":"rsa-1","x":' + b"[" * 3000,
        b'"alg"',
        b'["alg"]',
        b"{}",
        b"\xff",
        b"",
    ],
)
def test_a_header_that_is_none_proves_nothing(header: bytes) -> None:
    _, payload, signature = token().split(".")
    assert proven(f"{b64(header)}.{payload}.{signature}") is None


@pytest.mark.parametrize(
    "extension", ['"crit":["kid"]', '"crit":[]', '"crit":null', '"b64":true', '"b64":null']
)
def test_extensions_are_refused_whatever_the_library_knows(extension: str) -> None:
    plain = '{"alg":"RS256","kid":"rsa-1"}'
    assert _header(b64(plain.encode()).encode()) is not None
    assert _header(b64(plain.replace("}", f",{extension}}}").encode()).encode()) is None


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"7", b"[" * 3000, b"\xff", b'{"iss":1}'])
def test_a_payload_that_is_no_claims_proves_nothing(payload: bytes) -> None:
    assert proven(signed({"alg": "RS256", "kid": "rsa-1"}, payload, RSA)) is None


def test_a_token_that_is_cut_or_changed_anywhere_proves_nothing() -> None:
    whole, jwts = token(EC, "ES256"), prover()
    for end in range(len(whole)):
        assert proven(whole[:end], jwts) is None
    for at, letter in enumerate(whole):
        other = "A" if letter != "A" else "B"
        assert proven(whole[:at] + other + whole[at + 1 :], jwts) is None, at
    assert proven(whole, jwts) == ALICE


@pytest.mark.parametrize(
    "value",
    [
        f"{token()}, Bearer {token()}",
        f"{token()},{token()}",
        f"{token()}.{token()}",
        f"{token()} {token()}",
        f"{token()}=",
    ],
)
def test_two_tokens_are_none(value: str) -> None:
    assert proven(value) is None


def test_a_token_has_a_longest() -> None:
    fits = token(pad="x" * 5000)
    assert proven(fits) == ALICE
    assert proven(token(pad="x" * LONGEST)) is None


@given(st.text(st.characters(codec="ascii")))
def test_whatever_is_sent_nothing_is_raised(value: str) -> None:
    assert proven(value) is None


# Keys.


def test_a_token_that_names_no_key_is_checked_where_there_is_only_one() -> None:
    unnamed = token(header={"kid": None})
    assert proven(unnamed, prover(RSA, EC)) == ALICE
    assert proven(unnamed, prover(RSA, OTHER_RSA)) is None


def test_an_unknown_key_has_the_keys_fetched_and_the_request_refused() -> None:
    jwts, missed = prover(RSA), list[int]()
    jwts.keyring.missed = lambda: missed.append(1)
    assert proven(token(OTHER_RSA), jwts) is None
    assert missed == [1]


@pytest.mark.parametrize(
    "other",
    [
        token(OTHER_RSA, iss="https://other.example.com"),
        token(OTHER_RSA, header={"alg": "RS512"}),
        token(OTHER_RSA, header={"typ": "x"}),
        token(),
    ],
)
def test_tokens_of_others_have_no_keys_fetched(other: str) -> None:
    jwts, missed = prover(RSA), list[int]()
    jwts.keyring.missed = lambda: missed.append(1)
    proven(other, jwts)
    assert missed == []


def test_without_keys_or_with_stale_ones_nothing_is_proven() -> None:
    jwts = prover()
    lasting = token(exp=NOW + 9999)
    assert proven(lasting, jwts, NOW + 999) == ALICE
    assert proven(lasting, jwts, NOW + 1000) is None
    empty = Jwts(jwts.settings, KEY, [])
    assert proven(lasting, empty) is None


def test_keys_overlap_while_they_are_rotated() -> None:
    jwts = prover(RSA)
    before, after = token(RSA), token(OTHER_RSA)
    assert (proven(before, jwts), proven(after, jwts)) == (ALICE, None)
    jwts.keyring.renew(key_set(jwks(RSA, OTHER_RSA), ("RS256",)), NOW + 1000)
    assert (proven(before, jwts), proven(after, jwts)) == (ALICE, ALICE)
    jwts.keyring.renew(key_set(jwks(OTHER_RSA), ("RS256",)), NOW + 1000)
    assert (proven(before, jwts), proven(after, jwts)) == (None, ALICE)


# What is remembered.


def test_a_token_is_verified_once_until_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    jwts, verified = prover(), list[bytes]()
    once = jwts._verify

    def counting(*arguments: Any) -> Any:
        verified.append(arguments[0])
        return once(*arguments)

    monkeypatch.setattr(jwts, "_verify", counting)
    known = token()
    assert [proven(known, jwts, NOW + later) for later in (0, 1, 359)] == [ALICE] * 3
    assert len(verified) == 1
    assert proven(known, jwts, NOW + 360) is None
    forged = token(OTHER_RSA, header={"kid": "rsa-1"})
    assert [proven(forged, jwts), proven(forged, jwts)] == [None, None]
    assert len(jwts._verified) <= 1  # a stranger's tokens take no place


def test_a_policy_may_have_every_token_verified() -> None:
    jwts = prover(remembered=0)
    assert [proven(token(), jwts) for _ in range(2)] == [ALICE] * 2
    assert len(jwts._verified) == 0


def test_nothing_that_is_kept_holds_the_token() -> None:
    jwts, value = prover(), token()
    proven(value, jwts)
    assert value not in f"{vars(jwts)} {vars(jwts._verified)}"


def test_the_header_goes_no_further() -> None:
    assert Jwts.headers == ("authorization",)


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        ("a.b.c", Cause.TOKEN_MALFORMED),
        ("e30.e30.", Cause.TOKEN_MALFORMED),
        (token(typ="x"), None),
        (token(header={"typ": "dpop+jwt"}), Cause.TOKEN_MALFORMED),
        (token(iss="https://evil.example"), Cause.TOKEN_ISSUER),
        (token(OTHER_RSA), Cause.TOKEN_KEY_UNKNOWN),
        (token(OTHER_RSA, header={"kid": "rsa-1"}), Cause.TOKEN_SIGNATURE),
        (token(OTHER_EC, "ES256", header={"kid": "rsa-1"}), Cause.TOKEN_KEY_UNKNOWN),
        (token(made("Ed25519", "rsa-1"), "Ed25519"), Cause.TOKEN_ALGORITHM),
        (token(exp=NOW - 61), Cause.TOKEN_EXPIRED),
        (token(nbf=NOW + 61), Cause.TOKEN_EARLY),
        (token(aud="https://other.example"), Cause.TOKEN_AUDIENCE),
        (token(cnf={"jkt": "x"}), Cause.TOKEN_BOUND),
        (token(sub=""), Cause.TOKEN_CLAIMS),
    ],
)
def test_the_record_is_told_why(value: str, cause: Cause | None) -> None:
    found = prover().prove(asking(value), NOW)
    assert found == (cause if cause is not None else ALICE)


def test_the_record_is_told_that_there_are_no_keys_or_no_token() -> None:
    assert prover().prove(asking(token()), NOW + 2000) is Cause.TOKEN_KEYS_MISSING
    assert prover().prove(CheckedRequest("GET", "/", {}), NOW) is Cause.CREDENTIAL_MISSING

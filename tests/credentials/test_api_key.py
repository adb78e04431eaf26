import gc
import hashlib
import hmac
import math
from collections.abc import Mapping
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.cause import Cause
from extproc.credentials import Proof
from extproc.credentials.api_key import (
    DIGEST,
    HEADERS,
    ApiKey,
    ApiKeys,
    IssuedKey,
    IssuedKeys,
    digest,
    principal,
)
from extproc.events import CheckedRequest, Headers
from tests.credentials.proving import proven_by

HMAC_KEY = b"0123456789abcdef0123456789abcdef"
API_KEY = "xk-3jqkJ0v8c2Fz_Ab-9"
PROVEN = f"key:{hmac.new(HMAC_KEY, API_KEY.encode(), hashlib.sha256).hexdigest()}"

KEYS = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=","),
    min_size=1,
    max_size=512,
)


def test_the_hash_is_hmac_sha256() -> None:
    """As by: printf xk-known-answer | openssl dgst -sha256 -hmac Jefe"""
    found = principal({"x-api-key": "xk-known-answer"}, b"Jefe")
    assert found == "key:3bba2aed806b53396ccca1ca1e8d739b4d02ed19aa455a742a8cf3f8154e5768"


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {API_KEY}"},
        {"authorization": f"bearer {API_KEY}"},
        {"authorization": f"BEARER  {API_KEY}"},
        {"x-api-key": API_KEY},
        {"api-key": API_KEY},
        {"x-goog-api-key": API_KEY},
        {"authorization": f"Bearer {API_KEY}", "x-api-key": API_KEY, "api-key": API_KEY},
        {"x-api-key": API_KEY, "cookie": "api-key=other", "x-other-key": "other"},
    ],
)
def test_a_key_is_found_wherever_clients_put_it(headers: Headers) -> None:
    assert principal(headers, HMAC_KEY) == PROVEN


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": API_KEY},
        {"authorization": f"Basic {API_KEY}"},
        {"authorization": f"Bearer{API_KEY}"},
        {"authorization": f" Bearer {API_KEY}"},
        {"authorization": f"Bearer\t{API_KEY}"},
        {"authorization": f"Bearer {API_KEY} "},
        {"authorization": f"Bearer {API_KEY}\n"},
        {"authorization": f"Bearer {API_KEY}, Bearer {API_KEY}"},
        {"x-api-key": ""},
        {"x-api-key": f"{API_KEY},{API_KEY}"},
        {"x-api-key": f"{API_KEY}, {API_KEY}"},
        {"x-api-key": f"{API_KEY} "},
        {"x-api-key": f"{API_KEY}\n"},
        {"x-api-key": f"{API_KEY}\0"},
        {"x-api-key": "schlüssel"},
        {"x-api-key": "\x7f"},
        {"x-api-key": f"Bearer {API_KEY}"},
    ],
)
def test_what_is_no_key_proves_nothing(headers: Headers) -> None:
    assert principal(headers, HMAC_KEY) is None


@pytest.mark.parametrize("other", ["", "xk-other", f"{API_KEY} ", "schlüssel"])
def test_headers_that_differ_prove_nothing(other: str) -> None:
    assert principal({"authorization": f"Bearer {API_KEY}", "x-api-key": other}, HMAC_KEY) is None
    assert principal({"api-key": other, "x-api-key": API_KEY}, HMAC_KEY) is None
    assert principal({"authorization": f"Basic {other}", "api-key": API_KEY}, HMAC_KEY) is None


def test_a_key_has_at_most_512_characters() -> None:
    assert principal({"x-api-key": "k" * 512}, HMAC_KEY) is not None
    assert principal({"x-api-key": "k" * 513}, HMAC_KEY) is None


def test_the_principal_depends_on_the_hmac_key() -> None:
    assert principal({"x-api-key": API_KEY}, b"f" * 32) != PROVEN


@given(key=KEYS, header=st.sampled_from(HEADERS))
def test_every_key_is_known_by_its_hash_alone(key: str, header: str) -> None:
    value = f"Bearer {key}" if header == "authorization" else key
    found = principal({header: value}, HMAC_KEY)
    assert found == f"key:{hmac.digest(HMAC_KEY, key.encode(), 'sha256').hex()}"


@given(values=st.dictionaries(st.sampled_from(HEADERS), st.text()))
def test_whatever_the_headers_hold_there_is_one_principal_or_none(values: dict[str, str]) -> None:
    found = principal(values, HMAC_KEY)
    assert found is None or (found.startswith("key:") and len(found) == 68)


ISSUED = IssuedKey("k1", "acme", 100.0)
REVOKED = IssuedKey("k2", "acme", -math.inf)
OTHER_KEY = "sk-proj-other"


def hashed(key: str) -> bytes:
    return hmac.digest(HMAC_KEY, key.encode(), "sha256")[:DIGEST]


def prover(
    owners: Mapping[str, str] | None = None, issued: Mapping[bytes, IssuedKey] | None = None
) -> ApiKeys:
    known = {hashed(API_KEY): ISSUED, hashed(OTHER_KEY): REVOKED} if issued is None else issued
    return ApiKeys(ApiKey(strength=3), HMAC_KEY, owners or {}, IssuedKeys(known))


def asking(key: str) -> CheckedRequest:
    return CheckedRequest("POST", "/", {"x-api-key": key})


def test_an_issued_key_proves_its_tenant_by_its_id() -> None:
    assert proven_by(prover().prove(asking(API_KEY), 0.0)) == Proof("key:k1", 3, "acme")


def test_a_key_that_the_policy_lists_goes_on_being_known_by_its_hash() -> None:
    keys = prover({PROVEN: "beta"}, {})
    assert proven_by(keys.prove(asking(API_KEY), 1e12)) == Proof(PROVEN, 3, "beta")


def test_a_key_proves_nothing_from_the_moment_at_which_it_expires() -> None:
    keys = prover()
    assert proven_by(keys.prove(asking(API_KEY), math.nextafter(100.0, 0))) is not None
    assert proven_by(keys.prove(asking(API_KEY), 100.0)) is None
    assert proven_by(keys.prove(asking(API_KEY), math.inf)) is None
    endless = prover(issued={hashed(API_KEY): IssuedKey("k1", "acme", math.inf)})
    assert proven_by(endless.prove(asking(API_KEY), 1e300)) is not None


@pytest.mark.parametrize("now", [-1e300, 0.0, 100.0, 1e300])
def test_expired_revoked_unknown_and_no_keys_are_told_apart_by_nobody(now: float) -> None:
    keys = prover()
    late = [proven_by(keys.prove(asking(API_KEY), now))] if now >= 100.0 else []
    others = [
        proven_by(keys.prove(asking(key), now)) for key in (OTHER_KEY, "xk-unknown", "", "a b")
    ]
    assert {*late, *others} == {None}


class Watched(str):
    """A key that must not be compared: where that stops would tell how far it fits."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> NoReturn:
        raise AssertionError("a key was compared")

    __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __eq__
    __contains__ = startswith = endswith = find = index = __eq__  # type: ignore[assignment]


@pytest.mark.parametrize("key", [API_KEY, OTHER_KEY, "xk-unknown", API_KEY[:-1]])
@pytest.mark.parametrize("header", ["x-api-key", "api-key", "x-goog-api-key"])
def test_no_key_is_compared(key: str, header: str) -> None:
    request = CheckedRequest("POST", "/", {header: Watched(key)})
    proven = proven_by(prover({PROVEN: "acme"}).prove(request, 0.0))
    assert (proven is not None) == (key == API_KEY)


def test_what_is_kept_of_a_key_is_its_hash_alone() -> None:
    """So that there is nothing which a key could be compared with."""
    keys = prover({PROVEN: "acme"})
    assert proven_by(keys.prove(asking(API_KEY), 0.0)) is not None
    seen: dict[int, object] = {}
    left: list[object] = [keys.__dict__]
    while left:
        found = left.pop()
        if id(found) not in seen and not isinstance(found, type):
            seen[id(found)] = found
            left += gc.get_referents(found)
            left += [found.id, found.tenant] if isinstance(found, IssuedKey) else []
            left += list(found) if isinstance(found, dict) else []  # names are not told otherwise
    kept = [each for each in seen.values() if isinstance(each, str | bytes)]
    assert PROVEN in kept
    assert "k1" in kept
    texts = [each if isinstance(each, bytes) else each.encode() for each in kept]
    assert [text for text in texts for key in (API_KEY, OTHER_KEY) if key.encode() in text] == []


@given(key=KEYS, other=KEYS)
def test_no_two_keys_have_anything_in_common_that_a_look_up_could_show(
    key: str, other: str
) -> None:
    """However alike: what is looked up differs from its first octets on."""
    first, second = (digest({"api-key": each}, HMAC_KEY) for each in (key, f"{key[:500]}{other}"))
    assert first is not None
    if second is not None and first != second:
        assert first[:DIGEST] != second[:DIGEST]


def test_keys_that_are_alike_have_hashes_that_are_not() -> None:
    """Of 2000 pairs that differ in their last character, hashes agree in a bit as often as not."""
    agreeing = 0
    for index in range(2000):
        first, second = hashed(f"xk-{index}-a"), hashed(f"xk-{index}-b")
        agreeing += 128 - (int.from_bytes(first) ^ int.from_bytes(second)).bit_count()
    bits = 2000 * 128
    assert abs(agreeing - bits / 2) < 5 * math.sqrt(bits) / 2


def test_issued_keys_are_spread_over_small_dicts_and_each_is_found() -> None:
    keys = IssuedKeys()
    known = {hashed(f"xk-{index}"): IssuedKey(f"{index}", "acme", 1.0) for index in range(5000)}
    for found, key in known.items():
        assert keys.add(found, key)
    assert len(keys) == 5000
    assert dict(keys) == known
    assert max(map(len, keys._parts)) < 60
    first = next(iter(known))
    assert not keys.add(first, ISSUED)
    assert keys[first] is keys.find(first) is known[first]
    assert keys.find(hashed("xk-unknown")).until == -math.inf
    assert hashed("xk-unknown") not in keys


@pytest.mark.parametrize(
    ("headers", "cause"),
    [
        ({}, Cause.CREDENTIAL_MISSING),
        ({"authorization": f"Basic {API_KEY}"}, Cause.KEY_MALFORMED),
        ({"x-api-key": "a b"}, Cause.KEY_MALFORMED),
        ({"x-api-key": f"{API_KEY},{API_KEY}"}, Cause.KEY_MALFORMED),
        ({"x-api-key": "k" * 513}, Cause.KEY_MALFORMED),
        ({"x-api-key": API_KEY, "api-key": OTHER_KEY}, Cause.KEY_AMBIGUOUS),
        ({"x-api-key": "xk-unknown"}, Cause.KEY_UNKNOWN),
        ({"x-api-key": API_KEY}, Cause.KEY_EXPIRED),
        ({"x-api-key": OTHER_KEY}, Cause.KEY_REVOKED),
    ],
)
def test_the_record_is_told_why(headers: dict[str, str], cause: Cause) -> None:
    assert prover().prove(CheckedRequest("GET", "/", headers), 1e6) is cause


def test_a_bearer_token_is_left_to_others_where_keys_are_not_looked_for_there() -> None:
    keys = ApiKeys(ApiKey(headers=("x-api-key",)), HMAC_KEY, {PROVEN: "acme"})
    beside = {"x-api-key": API_KEY, "authorization": "Bearer a.b.c"}
    found = keys.prove(CheckedRequest("GET", "/", beside), 0.0)
    assert proven_by(found) == Proof(PROVEN, 1, "acme")
    alone = {"authorization": f"Bearer {API_KEY}", "api-key": API_KEY}
    assert keys.prove(CheckedRequest("GET", "/", alone), 0.0) is Cause.CREDENTIAL_MISSING
    # What is not read does not go on to the model server either.
    assert set(keys.headers) == set(HEADERS)


def test_keys_of_a_policy_that_is_gone_can_be_let_go_of() -> None:
    issued = IssuedKeys({hashed("xk-1"): ISSUED})
    prover = ApiKeys(ApiKey(), HMAC_KEY, {}, issued)
    prover.forget()
    assert len(issued) == 0
    assert (
        prover.prove(CheckedRequest("POST", "/", {"x-api-key": "xk-1"}), 0.0) is Cause.KEY_UNKNOWN
    )


def test_a_key_can_be_ended_sooner_and_never_later() -> None:
    issued = IssuedKeys({hashed("xk-1"): IssuedKey("k1", "acme", 100.0)})
    keys = ApiKeys(ApiKey(), HMAC_KEY, {}, issued)

    def served(now: float) -> bool:
        request = CheckedRequest("POST", "/", {"x-api-key": "xk-1"})
        return proven_by(keys.prove(request, now)) == Proof("key:k1", 1, "acme")

    assert keys.end([(hashed("xk-1"), 200.0), (hashed("xk-unknown"), -math.inf)]) == 0
    assert served(99.0)
    assert not served(100.0)
    assert keys.end([(hashed("xk-1"), 50.0)]) == 1
    assert (served(49.0), served(50.0)) == (True, False)
    assert keys.end([(hashed("xk-1"), -math.inf)]) == 1
    assert not served(0.0)
    assert len(issued) == 1

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.credentials.api_key import HEADERS, principal
from extproc.events import Headers

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
        {"authorization": f"Bearer {API_KEY}", "x-api-key": API_KEY, "api-key": API_KEY},
        {"x-goog-api-key": API_KEY},
        {"x-api-key": API_KEY, "cookie": "api-key=other", "x-other-api-key": "other"},
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

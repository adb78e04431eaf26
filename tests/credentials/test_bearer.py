import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.cause import Cause
from extproc.credentials.bearer import LONGEST, bearer


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER   "])
def test_the_scheme_is_written_in_any_way(scheme: str) -> None:
    assert bearer({"authorization": f"{scheme}abc.DEF-_~+/=="}) == "abc.DEF-_~+/=="


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        "abc",
        "Basic abc",
        "Bearerabc",
        " Bearer abc",
        "Bearer\tabc",
        "Bearer abc ",
        "Bearer abc\n",
        "Bearer abc def",
        "Bearer abc,Bearer abc",
        "Bearer abc, Bearer def",
        "Bearer =abc",
        "Bearer schlüssel",
        "Bearer abc\0",
        "DPoP abc",
    ],
)
def test_anything_but_one_token_is_none(value: str) -> None:
    assert isinstance(bearer({"authorization": value}), Cause)


def test_no_other_header_holds_a_token() -> None:
    assert (
        bearer({"x-api-key": "abc", "proxy-authorization": "Bearer abc"})
        is Cause.CREDENTIAL_MISSING
    )


def test_a_header_has_a_longest() -> None:
    rest = "a" * (LONGEST - len("Bearer "))
    assert bearer({"authorization": f"Bearer {rest}"}) == rest
    assert bearer({"authorization": f"Bearer {rest}a"}) is Cause.TOKEN_MALFORMED


@given(st.text())
def test_whatever_stands_there_nothing_is_raised(value: str) -> None:
    found = bearer({"authorization": f"Bearer {value}"})
    assert isinstance(found, Cause) or found == value.lstrip(" ")

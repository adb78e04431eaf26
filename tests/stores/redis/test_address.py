import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.stores.redis.address import Address, address


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("redis://db", Address((("db", 6379),))),
        ("valkey://db:7000/2", Address((("db", 7000),), database=2)),
        ("rediss://user:p%40ss@db", Address((("db", 6379),), "user", "p@ss", tls=True)),
        ("redis://:pw@[fd00::1]:7000", Address((("fd00::1", 7000),), "", "pw")),
        ("redis://[fd00::1]", Address((("fd00::1", 6379),))),
        ("redis://a,b:7001,c", Address((("a", 6379), ("b", 7001), ("c", 6379)))),
        ("unix:///run/redis.sock?db=3", Address((("/run/redis.sock", 0),), database=3)),
        ("unix://u:p@/run/redis.sock", Address((("/run/redis.sock", 0),), "u", "p")),
    ],
)
def test_an_address_is_what_its_url_says(url: str, found: Address) -> None:
    assert address(url) == found


def test_no_address_shows_its_password() -> None:
    assert "hunter2" not in repr(address("redis://hunter2:hunter2@hunter2"))


@given(st.text(max_size=30))
def test_whatever_is_written_is_an_address_or_an_error_that_holds_nothing_of_it(text: str) -> None:
    secret = "correct-horse"
    said = _said(f"redis://u:{secret}@{text}")
    assert secret not in said


def _said(url: str) -> str:
    try:
        return repr(address(url))
    except ValueError as error:
        return str(error)

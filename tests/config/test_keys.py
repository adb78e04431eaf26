import re

from extproc.config import new_key
from extproc.credentials.api_key import principal


def test_a_new_key_is_256_bits_that_a_client_can_send() -> None:
    key = new_key()
    assert re.fullmatch(r"xk-[A-Za-z0-9_-]{43}", key)
    assert principal({"authorization": f"Bearer {key}"}, b"k" * 32) is not None


def test_no_two_keys_are_the_same() -> None:
    assert len({new_key() for _ in range(100)}) == 100

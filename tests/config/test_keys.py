import re

from extproc.config import new_key
from extproc.config.keys import new_id, visible
from extproc.credentials.api_key import principal


def test_a_new_key_is_256_bits_that_a_client_can_send() -> None:
    key = new_key()
    assert re.fullmatch(r"xk-[0-9a-hjkmnp-tv-z]{12}-[A-Za-z0-9_-]{43}", key)
    assert principal({"authorization": f"Bearer {key}"}, b"k" * 32) is not None


def test_no_two_keys_are_the_same() -> None:
    assert len({new_key() for _ in range(100)}) == 100


def test_a_key_shows_its_id_and_begins_as_the_key_file_says() -> None:
    identity = new_id()
    key = new_key(identity)
    assert key.startswith(f"{visible(identity)}-")
    assert visible(identity) == f"xk-{identity}"


def test_ids_are_drawn_one_by_one() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000

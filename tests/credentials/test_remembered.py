import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from extproc.credentials.remembered import Remembered

KEY = b"k" * 32


def test_a_token_is_known_by_its_keyed_digest_alone() -> None:
    known: Remembered[int] = Remembered(KEY, 10)
    assert known.digest("t") == hmac.new(KEY, b"t", hashlib.sha256).digest()
    known.put(known.digest("s3cret"), 1, 5.0)
    assert "s3cret" not in repr(vars(known))


def test_it_is_known_until_then_and_not_at_that_moment() -> None:
    known: Remembered[int | None] = Remembered(KEY, 10)
    known.put(b"a", 1, 5.0)
    known.put(b"b", None, 5.0)
    assert (known.get(b"a", 4.9), known.get(b"b", 4.9)) == ((1,), (None,))
    assert known.get(b"a", 5.0) is None
    assert known.get(b"c", 0.0) is None
    assert len(known) == 1  # what has expired is gone


def test_what_is_put_again_is_what_is_known() -> None:
    known: Remembered[int] = Remembered(KEY, 10)
    known.put(b"a", 1, 5.0)
    known.put(b"a", 2, 9.0)
    assert (known.get(b"a", 6.0), len(known)) == ((2,), 1)
    known.clear()
    assert known.get(b"a", 6.0) is None


def test_the_one_that_nobody_asks_about_is_forgotten_first() -> None:
    known: Remembered[int] = Remembered(KEY, 2)
    known.put(b"a", 1, 5.0)
    known.put(b"b", 2, 5.0)
    assert known.get(b"a", 0.0) == (1,)
    known.put(b"c", 3, 5.0)
    assert (known.get(b"b", 0.0), known.get(b"a", 0.0), known.get(b"c", 0.0)) == (None, (1,), (3,))


def test_it_may_be_told_to_remember_nothing() -> None:
    known: Remembered[int] = Remembered(KEY, 0)
    known.put(b"a", 1, 5.0)
    assert known.get(b"a", 0.0) is None


@given(st.integers(0, 5), st.lists(st.tuples(st.binary(max_size=1), st.floats(0, 10))))
def test_it_never_holds_more_than_it_may(most: int, puts: list[tuple[bytes, float]]) -> None:
    known: Remembered[int] = Remembered(KEY, most)
    for digest, until in puts:
        known.put(digest, 1, until)
        assert len(known) <= most

"""What a text says: see extproc/detectors/words.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.canonical import text
from extproc.detectors.observation import EXCERPT
from extproc.detectors.words import scripts, words


@pytest.mark.parametrize(
    "variant",
    [
        "Where is my café?",
        "  WHERE is my -- CAFE\u0301!!",
        "where\tis\nmy, Ｃａｆé",
        "wh\u200bere is my \u201ccafé\u201d",
    ],
)
def test_looks_change_no_words(variant: str) -> None:
    assert words(variant) == b"where is my cafe"


def test_words_end_where_something_else_stands() -> None:
    assert words("a.b c_d\u3000e") == b"a b c d e"
    assert words("...") == b""


@given(st.text(st.characters(), max_size=50))
def test_but_for_spaces_they_are_the_canonical_text(value: str) -> None:
    clean = value.encode("utf-8", "ignore").decode()
    assert words(clean).replace(b" ", b"").decode() == text(clean)
    words(value)


@pytest.mark.parametrize(
    ("value", "count"),
    [("", 0), ("12 !", 0), ("plain", 1), ("схема", 1), ("схема plain", 2), ("漢字かなcafé", 3)],
)
def test_scripts_are_told_apart(value: str, count: int) -> None:
    assert scripts(value) == count


def test_however_many_characters_there_are_each_becomes_what_it_does_alone() -> None:
    """More than are known at one time."""
    every = [chr(code) for code in range(0x80, 0x6000)]
    every[::100] = "\u00e9" * len(every[::100])
    for start in range(0, len(every), 1000):
        some = every[start : start + 1000]
        alone = "".join(text(each) for each in some).encode()
        found = b"".join(words("".join(some[at : at + 200])) for at in range(0, 1000, 200))
        assert found.replace(b" ", b"") == alone
    assert words("\u03a9\u2014\u00e9") == "\u03c9 e".encode()


def test_no_letter_makes_much_work() -> None:
    for letter in ("\ufdfa", "\uac01"):
        made = words(letter * EXCERPT)
        assert 4 * EXCERPT - 4 < len(made) <= 4 * EXCERPT
        assert text(letter * EXCERPT).startswith(made.decode()), "no letter is cut in two"
    assert words("\u0436" * EXCERPT) == "\u0436".encode() * EXCERPT


def test_of_a_long_text_letters_are_looked_at_all_over() -> None:
    assert scripts("\u0436" * 1900 + "a" * 148) == 2
    assert scripts("a" + "\u0436" * 3) == 2

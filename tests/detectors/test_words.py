"""What a text says: see extproc/detectors/words.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.canonical import text
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

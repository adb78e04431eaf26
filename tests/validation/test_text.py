import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.validation.text import SCRIPTS, Characters, has_only, is_of

UNSEEN = ["\0", "\x1b", "\x7f", "\u200b", "\u200d", "\u202e", "\ufeff", "\U000e0041", "\ue000"]
UNSEEN += ["\ud800", "\u0378", "\u2028"]


@pytest.mark.parametrize(
    ("text", "characters", "fits"),
    [
        ("plain", "ascii", True),
        ("größer 你好 🙂", "line", True),
        ("größer", "ascii", False),
        ("two\nlines\tand\r", "text", True),
        ("two\nlines", "line", False),
        ("two\nlines", "ascii", False),
        ("", "ascii", True),
    ],
)
def test_a_text_is_of_its_class(text: str, characters: Characters, fits: bool) -> None:
    assert has_only(text, characters) is fits


@pytest.mark.parametrize("unseen", UNSEEN, ids=ascii)
@pytest.mark.parametrize("characters", ["text", "line", "ascii"])
def test_what_nobody_sees_is_of_no_class(unseen: str, characters: Characters) -> None:
    assert not has_only(f"a{unseen}b", characters)


@given(st.text())
def test_the_classes_are_each_within_the_next(text: str) -> None:
    assert not has_only(text, "ascii") or has_only(text, "line")
    assert not has_only(text, "line") or has_only(text, "text")
    assert not has_only(text, "ascii") or text.isascii()


@pytest.mark.parametrize(
    ("text", "scripts", "fits"),
    [
        ("hello, world 42", ("latin",), True),
        ("hello", ("greek",), False),
        ("1 + 1 = 2", ("greek",), True),
        ("größer", ("latin",), True),
        ("p\u0430ypal", ("latin",), False),  # Cyrillic letters that look Latin
        ("p\u0430ypal", ("latin", "cyrillic"), True),
        ("\U0001d400dmin", ("latin",), False),  # mathematical
        ("\uff41dmin", ("latin",), False),  # full width
        ("你好 🙂", ("cjk",), True),
        ("\ufdd0 \u0301", ("latin",), True),  # no letters
    ],
)
def test_every_letter_is_of_a_script(text: str, scripts: tuple[str, ...], fits: bool) -> None:
    assert is_of(text, scripts) is fits


def test_every_script_has_letters_that_unicode_calls_so() -> None:
    first = {
        unicodedata.name(chr(code), "").partition(" ")[0].lower()
        for code in range(sys.maxunicode)
        if chr(code).isalpha()
    }
    assert set(SCRIPTS) <= first

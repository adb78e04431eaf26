"""Which characters a text may hold.

Rule: by the categories of Unicode.  What nobody sees (controls, format characters such as
zero-width spaces, directions and tags, private use, unassigned) makes a new text of an old one
without changing what it says, which gets around whatever counts the same question twice; and models
read it.  A letter's script is the first word of its name in Unicode, so that look-alikes from
another alphabet and mathematical or full-width forms are not of the script they imitate.

Sources: Unicode Standard, chapter 4 (general categories); Boucher et al., "Bad Characters:
Imperceptible NLP Attacks", IEEE S&P 2022.
"""

import unicodedata
from collections.abc import Collection
from functools import lru_cache
from typing import Final, Literal, get_args

Characters = Literal["text", "line", "ascii"]
"""``text``: nothing unseen but tabs and line breaks; ``line``: not those either; ``ascii``: a line
of ASCII."""
Script = Literal[
    "arabic",
    "armenian",
    "bengali",
    "cjk",
    "cyrillic",
    "devanagari",
    "ethiopic",
    "georgian",
    "greek",
    "gujarati",
    "gurmukhi",
    "hangul",
    "hebrew",
    "hiragana",
    "kannada",
    "katakana",
    "khmer",
    "lao",
    "latin",
    "malayalam",
    "myanmar",
    "sinhala",
    "tamil",
    "telugu",
    "thai",
    "tibetan",
]
SCRIPTS: Final[tuple[Script, ...]] = get_args(Script)
_BREAKS: Final = frozenset("\t\n\r")
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def has_only(text: str, characters: Characters) -> bool:
    """Whether all of a text's characters are of this class."""
    if text.isprintable():  # an ASCII text of a line, nearly always
        return characters != "ascii" or text.isascii()
    if characters == "ascii":
        return False
    found = set(text)
    if characters == "text":
        found -= _BREAKS
    return not any(map(_is_unseen, found))


def is_of(text: str, scripts: Collection[str]) -> bool:
    """Whether every letter of a text is of one of these scripts; signs and digits are of any."""
    if text.isascii():
        return "latin" in scripts or not any(map(str.isalpha, text))
    return all(_script(character) in {None, *scripts} for character in set(text))


@lru_cache(maxsize=4096)
def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN


@lru_cache(maxsize=4096)
def _script(character: str) -> str | None:
    """None where it is no letter."""
    if not character.isalpha():
        return None
    return unicodedata.name(character, "").partition(" ")[0].lower()

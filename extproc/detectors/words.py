"""What a text says, without its looks: its words, folded.

Rule: what makes no other text (see canonical.py) makes no other words, but for where they end:
there a run of anything that is no letter and no digit is one space.
"""

import unicodedata
from functools import lru_cache
from typing import Final

from extproc.canonical import text

_ASCII: Final = bytes(ord(chr(code).lower()) if chr(code).isalnum() else 32 for code in range(128))
_TABLE: Final = _ASCII + bytes(range(128, 256))
_INSIDE: Final = frozenset({"Mn", "Mc", "Me", "Cf"})
"""Categories of what stands within a word and is no part of it: marks and format characters."""


def words(value: str) -> bytes:
    """In UTF-8, a space between each two."""
    written = value.encode("utf-8", "replace").translate(_TABLE)
    if not written.isascii():
        written = "".join(map(_folded, written.decode())).encode()
    return b" ".join(written.split())


def scripts(value: str) -> int:
    """How many scripts its letters are of.

    By the first word of a letter's name, which is its script's but for a few (UAX 24).
    """
    if value.isascii():
        return int(any(map(str.isalpha, value)))
    found = set(map(_script, set(value)))
    found.discard("")
    return len(found)


@lru_cache(maxsize=1 << 14)
def _folded(character: str) -> str:
    if character.isascii():
        return character
    inside = unicodedata.category(character) in _INSIDE
    return text(character) or ("" if inside else " ")


@lru_cache(maxsize=1 << 14)
def _script(character: str) -> str:
    if not character.isalpha():
        return ""
    return unicodedata.name(character, "").partition(" ")[0]

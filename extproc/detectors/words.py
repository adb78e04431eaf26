"""What a text says, without its looks: its words, folded.

Rule: what makes no other text (see canonical.py) makes no other words, but for where they end:
there a run of anything that is no letter and no digit is one space.
"""

import unicodedata
from functools import lru_cache
from typing import Final

from extproc.canonical import folded
from extproc.detectors.observation import EXCERPT

_ASCII: Final = bytes(ord(chr(code).lower()) if chr(code).isalnum() else 32 for code in range(128))
_TABLE: Final = _ASCII + bytes(range(128, 256))
_MOST: Final = 4 * EXCERPT
"""Octets: some letters are written out in many."""
_LOOKED: Final = 512
"""Letters whose script is asked for."""
_KNOWN: Final = 1 << 14
"""Characters."""
_KEPT: Final = {chr(code): chr(code) for code in range(128)}
_INSIDE: Final = frozenset({"Mn", "Mc", "Me", "Cf"})
"""Categories of what stands within a word and is no part of it: marks and format characters."""


def words(value: str) -> bytes:
    """In UTF-8, a space between each two; no more octets than some thousand letters have."""
    written = value.encode("utf-8", "replace").translate(_TABLE)
    if not written.isascii():
        written = _LETTERS.folded(written.decode()).encode()
    made = b" ".join(written.split())
    return made if len(made) <= _MOST else made[:_MOST].decode(errors="ignore").encode()


def scripts(value: str) -> int:
    """How many scripts its letters are of; of many letters some are looked at, evenly spread.

    By the first word of a letter's name, which is its script's but for a few (UAX 24).
    """
    if value.isascii():
        return int(any(map(str.isalpha, value)))
    some = value[:: -(-len(value) // _LOOKED)]
    found = set(map(_script, set(some)))
    found.discard("")
    return len(found)


class _Letters:
    """What is known of some thousand characters; those of a text that are new are looked up at
    once, which takes a fifth of the time of one after the other.
    """

    def __init__(self) -> None:
        self._known = dict(_KEPT)

    def folded(self, whole: str) -> str:
        known, characters = self._known, set(whole)
        if new := characters - known.keys():
            if len(known) + len(new) > _KNOWN:
                self._known = known = dict(_KEPT)
                new = characters - known.keys()
            made = folded(new)
            known.update({each: made[each] or _between(each) for each in new})
        return "".join(map(known.__getitem__, whole))


_LETTERS: Final = _Letters()


def _between(character: str) -> str:
    """What stands for one that is neither a letter nor a digit."""
    return "" if unicodedata.category(character) in _INSIDE else " "


@lru_cache(maxsize=1 << 14)
def _script(character: str) -> str:
    if not character.isalpha():
        return ""
    return unicodedata.name(character, "").partition(" ")[0]

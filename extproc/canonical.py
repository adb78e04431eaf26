"""What an input is, whatever it looks like: the form by which two of them count as the same.

Rule: what changes only the looks changes nothing here, so that no row of cosmetic variants gets a
row of draws to average (see draw.py).  Text: compatibility forms, case, control and format
characters, marks, punctuation and space.  Numbers: how they are written.  Objects: the order of
their members.  Synonyms and paraphrases are other inputs, and nothing here claims otherwise.

Sources: Unicode Standard Annex 15 (NFKC), Unicode Technical Standard 39 (what is confusable).
"""

import hashlib
import unicodedata
from typing import Any

_SPACE = frozenset({"Zs", "Zl", "Zp", "Cc"})
_WORD = ("L", "N")


def digest(value: Any) -> bytes:
    """32 octets that are the same for every way to write a JSON value."""
    return hashlib.sha256(canonical(value)).digest()


def canonical(value: Any) -> bytes:
    """Unambiguous: each part is written with its type and length."""
    match value:
        case str():
            return _written(b"s", text(value).encode())
        case bool() | None:
            return _written(b"c", repr(value).encode())
        case int() | float():
            return _written(b"n", _number(value).encode())
        case list() | tuple():
            return _written(b"l", b"".join(map(canonical, value)))
        case dict():
            members = sorted(canonical(name) + canonical(item) for name, item in value.items())
            return _written(b"o", b"".join(members))
        case bytes():
            return _written(b"b", value)
        case _:
            raise TypeError(f"{type(value).__name__} is no JSON")


def text(value: str) -> str:
    """Its words, folded, with one space between them."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold())
    return " ".join("".join(map(_kept, folded)).split())


def _kept(character: str) -> str:
    category = unicodedata.category(character)
    if category in _SPACE:
        return " "
    return character if category.startswith(_WORD) else ""


def _number(value: float) -> str:
    whole = value % 1 == 0
    return str(int(value)) if whole else repr(value)  # -0.0 is 0, and 1.0 is 1


def _written(kind: bytes, content: bytes) -> bytes:
    return kind + str(len(content)).encode() + b":" + content

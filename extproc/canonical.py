"""What an input is, whatever it looks like: the form by which two of them count as the same.

Rule: what changes only the looks changes nothing here, so that no row of cosmetic variants gets a
row of draws to average (see draw.py).  Text is its letters and digits: case, compatibility forms,
accents, control and format characters, punctuation, symbols and space make no other text.  A number
is its value: whole, or its first ten binary digits.  An object is its members in any order, those
that are null left out; a chat message is its role, its text and its tool calls.

Inputs that differ in more than looks may meet here too (``1+1`` and ``1-1``).  They get one draw,
which takes from a thief: noise that many answers share is not averaged away.  Synonyms and
paraphrases, a text and its token ids, a model and its alias are different inputs, and nothing here
claims otherwise.  The form depends on the version of Unicode, thus on Python's.

Sources: Unicode Standard Annex 15 (NFKD), section 3.13 of the Unicode Standard (D146, compatibility
caseless match), Unicode Technical Standard 39 (what looks alike).
"""

import hashlib
import math
import re
import struct
import unicodedata
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import Any, Final

import numpy as np

from extproc.errors import ClientError

_DEEPEST: Final = 64
"""Levels of arrays and objects in an input."""
_VECTOR: Final = 8
"""Numbers in an array from which on numpy is faster."""
_NUMBERS: Final = frozenset({int, float})
_ARRAYS: Final = frozenset({list, tuple})
_PRECISION: Final = 10
"""Binary digits of a fraction that count."""
_EXACT: Final = 2.0**53
"""Below it float64 holds every whole number."""
_FEW: Final = 32
"""Different characters up to which replacing one after the other is faster."""
_NO_WORD: Final = re.compile(r"[^\w\n]|_")
_ASCII_OTHER: Final = bytes(code for code in range(128) if not chr(code).isalnum())
_ASCII_LOWER: Final = bytes(code + 32 if 65 <= code <= 90 else code for code in range(256))
_MESSAGE: Final = ("role", "content", "images", "tool_calls", "function_call", "tool_call_id")
"""The members by which one chat message differs from another.  Others, such as ``name``, most
servers ignore: then each value of one would draw anew for the same question."""


def digest(value: Any) -> bytes:
    """32 octets that are the same for every way to write a JSON value."""
    return hashlib.sha256(canonical(value)).digest()


def canonical(value: Any, depth: int = 0) -> bytes:
    """Unambiguous: each part is written with its type and length.

    Raise ClientError where it is nested too deeply, TypeError where it is no JSON.
    """
    if depth > _DEEPEST:
        raise ClientError(f"An input is nested in over {_DEEPEST} levels.")
    match value:
        case str():
            return _written(b"s", text(value).encode())
        case bool() | None:
            return _written(b"c", repr(value).encode())
        case int() | float():
            return _written(b"n", _number(value))
        case list() | tuple():
            return _list(value, depth)
        case dict():
            return _object(value, depth)
        case bytes():
            return _written(b"b", value)
        case _:
            raise TypeError(f"{type(value).__name__} is no JSON")


def text(value: str) -> str:
    """Its letters and digits, folded.

    Character by character, which makes no difference where no mark is kept: putting a long row of
    marks into the order that NFKD wants takes the square of its length in time.
    """
    words = value.encode().translate(_ASCII_LOWER, _ASCII_OTHER).decode()
    if words.isascii():
        return words
    folded = {old: new for old, new in _folded(set(words)).items() if old != new}
    if len(folded) > _FEW:
        return words.translate({ord(old): new for old, new in folded.items()})
    for old, new in folded.items():  # nothing that stands in a new text is folded further
        words = words.replace(old, new)
    return words


def _folded(characters: AbstractSet[str]) -> dict[str, str]:
    """What each becomes, all of them looked up at once."""
    listed = unicodedata.normalize("NFKD", "\n".join(characters)).casefold()
    kept = _NO_WORD.sub("", unicodedata.normalize("NFKD", listed))
    return dict(zip(characters, kept.split("\n"), strict=True))


def _list(value: Sequence[Any], depth: int) -> bytes:
    kinds = set(map(type, value))
    if kinds <= _NUMBERS:
        written = _vector(value)
    elif kinds <= _ARRAYS:
        written = _matrix(value)
    else:
        written = None
    if written is not None:
        return written
    return _written(b"l", b"".join(canonical(item, depth + 1) for item in value))


def _vector(value: Sequence[float]) -> bytes | None:
    numbers = _numbers(value)
    return None if numbers is None else _written(b"v", numbers)


def _matrix(value: Sequence[Sequence[Any]]) -> bytes | None:
    """Rows of numbers, of any lengths; None where something else stands in them."""
    flat = list(chain.from_iterable(value))
    numbers = _numbers(flat) if set(map(type, flat)) <= _NUMBERS else None
    if numbers is None:
        return None
    lengths = np.fromiter(map(len, value), "<i8").tobytes()
    return _written(b"m", _written(b"b", lengths) + numbers)


def _object(value: Mapping[str, Any], depth: int) -> bytes:
    if "role" in value and "content" in value:
        value = {name: _spoken(value[name]) for name in _MESSAGE if name in value}
    members = sorted(
        canonical(name) + canonical(item, depth + 1)
        for name, item in value.items()
        if item is not None
    )
    return _written(b"o", b"".join(members))


def _spoken(content: Any) -> Any:
    """The content of a message: parts that are text alone are the text they make."""
    if isinstance(content, list) and content and all(map(_is_text, content)):
        return "".join(part["text"] for part in content)
    return content


def _is_text(part: Any) -> bool:
    return isinstance(part, dict) and isinstance(part.get("text"), str)


def _number(value: float) -> bytes:
    """1.0 is 1, and -0.0 is 0; a fraction is a whole number of steps, and their binary exponent."""
    if value % 1 == 0:
        return b"%x" % int(value)
    if not math.isfinite(value):
        return repr(value).encode()
    fraction, exponent = math.frexp(value)
    return b"%d.%d" % _normal(round(math.ldexp(fraction, _PRECISION)), exponent)


def _normal(steps: int, exponent: int) -> tuple[int, int]:
    """Rounded up to a power of two, a fraction has the form that the power of two has."""
    return (steps // 2, exponent + 1) if abs(steps) == 1 << _PRECISION else (steps, exponent)


def _numbers(values: Sequence[float]) -> bytes | None:
    """As ``_number``, of many at once; None for a few, and where one is too large to be exact."""
    if len(values) < _VECTOR:
        return None
    try:
        read = np.frombuffer(struct.pack(f"{len(values)}d", *values))
    except struct.error:  # a whole number that is no float64
        return None
    if not np.abs(read).max() < _EXACT:
        return None
    fractions, exponents = np.frexp(read)
    steps = np.rint(np.ldexp(fractions, _PRECISION))
    carried = np.abs(steps) == 1 << _PRECISION
    steps[carried] /= 2
    exponents[carried] += 1
    whole = read == np.rint(read)
    steps[whole], exponents[whole] = read[whole], 0x7FFF
    return steps.astype("<i8").tobytes() + exponents.astype("<i2").tobytes()


def _written(kind: bytes, content: bytes) -> bytes:
    return kind + str(len(content)).encode() + b":" + content

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
from collections.abc import Generator, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import chain
from operator import add
from typing import Any, Final, TypeVar

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
_TURN: Final = 2000
"""Microseconds, about: nobody waits for more than twice as long on a slow machine."""
_PIECE: Final = 1 << 10
"""Characters that are folded at once, each in a microsecond at most."""
_ASCII_COST: Final = 9
"""Binary digits of how many ASCII characters take a microsecond."""
_PART: Final = 2
"""Microseconds that writing a part takes, beside its characters."""
_SMALL: Final = frozenset({int, float, bool, type(None)})
_KIND_COST: Final = 6
"""Binary digits of how many items are told apart by their types in a microsecond."""
_OCTETS: Final = 1 << 18
"""Octets that are hashed at once."""
_OCTET_COST: Final = 8
"""Binary digits of how many of them take a microsecond."""
_HASHED: Final = 256
"""Inputs whose forms are kept at one time."""
_NUMBERS_AT_ONCE: Final = 1 << 13
_NUMBER_COST: Final = 6
"""Binary digits of how many octets of written numbers take a microsecond."""
_NO_WORD: Final = re.compile(r"[^\w\n]|_")
_ASCII_OTHER: Final = bytes(code for code in range(128) if not chr(code).isalnum())
_ASCII_LOWER: Final = bytes(code + 32 if 65 <= code <= 90 else code for code in range(256))
_MESSAGE: Final = ("role", "content", "images", "tool_calls", "function_call", "tool_call_id")
"""The members by which one chat message differs from another.  Others, such as ``name``, most
servers ignore: then each value of one would draw anew for the same question."""


Result = TypeVar("Result")
Steps = Generator[None, None, Result]
"""Work that is cut up: between two steps others have their turn."""


class _Turn:
    """What is left to be done before others have theirs."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = _TURN

    def ends(self, cost: int) -> bool:
        """Whether it does with this, of so many microseconds."""
        self._left -= cost
        if self._left > 0:
            return False
        self._left = _TURN
        return True


@dataclass(frozen=True, slots=True)
class Shared:
    """A part that many inputs have: its digest stands for it in each, and is made once."""

    value: Any
    _made: list[bytes] = field(default_factory=list)

    def digest(self, turn: _Turn) -> Steps[bytes]:
        if not self._made:
            written = yield from _steps(self.value, 0, turn)
            self._made.append((yield from _hashed(written, turn)))
        return self._made[0]


def digest(value: Any) -> bytes:
    """32 octets that are the same for every way to write a JSON value."""
    return hashlib.sha256(canonical(value)).digest()


def digests(values: Sequence[Any]) -> Steps[Sequence[bytes]]:
    """The digest of each, in steps of some two milliseconds.  Raise as ``canonical`` does."""
    turn = _Turn()
    made: list[bytes] = []
    for start in range(0, len(values), _HASHED):
        end = min(start + _HASHED, len(values))
        parts = yield from _parts(map(values.__getitem__, range(start, end)), 0, turn)
        for part in parts:
            digest_of = yield from _hashed(part, turn)
            made.append(digest_of)
    return made


def _hashed(written: bytes, turn: _Turn) -> Steps[bytes]:
    if len(written) <= _OCTETS:
        return hashlib.sha256(written).digest()
    made = hashlib.sha256()
    for start in range(0, len(written), _OCTETS):
        made.update(written[start : start + _OCTETS])
        if turn.ends(_OCTETS >> _OCTET_COST):
            yield
    return made.digest()


def canonical(value: Any) -> bytes:
    """Unambiguous: each part is written with its type and length.

    Raise ClientError where it is nested too deeply, TypeError where it is no JSON.
    """
    return at_once(_steps(value, 0, _Turn()))


def at_once(steps: Steps[Result]) -> Result:
    """What the steps come to, without a turn for others."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result


def _steps(value: Any, depth: int, turn: _Turn) -> Steps[bytes]:
    if depth > _DEEPEST:
        raise ClientError(f"An input is nested in over {_DEEPEST} levels.")
    match value:
        case str() if len(value) > _PIECE:
            return _written(b"s", (yield from _long(value, turn)))
        case list() | tuple():
            return (yield from _list(value, depth, turn))
        case dict():
            return (yield from _object(value, depth, turn))
        case Shared():
            return _written(b"b", (yield from value.digest(turn)))
        case _:
            return _scalar(value)


def _parts(values: Iterable[Any], depth: int, turn: _Turn) -> Steps[list[bytes]]:
    """Each in its form; what is small is written without a step of its own."""
    parts = []
    for value in values:
        kind = type(value)
        if kind in _SMALL or (kind is str and len(value) <= _PIECE):
            part = _scalar(value)
            if turn.ends(len(part) + _PART):
                yield
        else:
            part = yield from _steps(value, depth, turn)
        parts.append(part)
    return parts


def _scalar(value: Any) -> bytes:
    match value:
        case str():
            return _written(b"s", text(value).encode())
        case bool() | None:
            return _written(b"c", repr(value).encode())
        case int() | float():
            return _written(b"n", _number(value))
        case bytes():
            return _written(b"b", value)
        case _:
            raise TypeError(f"{type(value).__name__} is no JSON")


def _long(value: str, turn: _Turn) -> Steps[bytes]:
    """As ``text``, piece by piece."""
    if value.isascii():
        if turn.ends(len(value) >> _ASCII_COST):
            yield
        return text(value).encode()
    pieces = []
    for start in range(0, len(value), _PIECE):
        pieces.append(text(value[start : start + _PIECE]).encode())
        if turn.ends(_PIECE):
            yield
    return b"".join(pieces)


def text(value: str) -> str:
    """Its letters and digits, folded.

    Character by character, which makes no difference where no mark is kept: putting a long row of
    marks into the order that NFKD wants takes the square of its length in time.
    """
    words = value.encode().translate(_ASCII_LOWER, _ASCII_OTHER).decode()
    if words.isascii():
        return words
    changed = {old: new for old, new in folded(set(words)).items() if old != new}
    if len(changed) > _FEW:
        return words.translate({ord(old): new for old, new in changed.items()})
    for old, new in changed.items():  # nothing that stands in a new text is folded further
        words = words.replace(old, new)
    return words


def folded(characters: AbstractSet[str]) -> dict[str, str]:
    """What each becomes in a text, all of them looked up at once; no line feed."""
    listed = unicodedata.normalize("NFKD", "\n".join(characters)).casefold()
    kept = _NO_WORD.sub("", unicodedata.normalize("NFKD", listed))
    return dict(zip(characters, kept.split("\n"), strict=True))


def _list(value: Sequence[Any], depth: int, turn: _Turn) -> Steps[bytes]:
    kinds = set(map(type, value))
    if turn.ends(len(value) >> _KIND_COST):
        yield
    if kinds <= _NUMBERS:
        written = yield from _vector(value, turn)
    elif kinds <= _ARRAYS:
        written = yield from _matrix(value, turn)
    else:
        written = None
    if written is not None:
        return written
    return _written(b"l", b"".join((yield from _parts(value, depth + 1, turn))))


def _vector(value: Sequence[float], turn: _Turn) -> Steps[bytes | None]:
    numbers = yield from _numbers(value, turn)
    return None if numbers is None else _written(b"v", numbers)


def _matrix(value: Sequence[Sequence[Any]], turn: _Turn) -> Steps[bytes | None]:
    """Rows of numbers, of any lengths; None where something else stands in them."""
    flat = list(chain.from_iterable(value))
    if not set(map(type, flat)) <= _NUMBERS:
        return None
    numbers = yield from _numbers(flat, turn)
    if numbers is None:
        return None
    lengths = np.fromiter(map(len, value), "<i8").tobytes()
    return _written(b"m", _written(b"b", lengths) + numbers)


def _object(value: Mapping[str, Any], depth: int, turn: _Turn) -> Steps[bytes]:
    if "role" in value and "content" in value:
        value = {name: _spoken(value[name]) for name in _MESSAGE if name in value}
    present = {name: item for name, item in value.items() if item is not None}
    names = yield from _parts(present, 0, turn)
    items = yield from _parts(present.values(), depth + 1, turn)
    return _written(b"o", b"".join(sorted(map(add, names, items))))


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


def _numbers(values: Sequence[float], turn: _Turn) -> Steps[bytes | None]:
    """As ``_number``, of many at once; None for a few, and where one is too large to be exact."""
    if len(values) < _VECTOR:
        return None
    numerators, exponents = [], []
    for start in range(0, len(values), _NUMBERS_AT_ONCE):
        some = _fractions(values[start : start + _NUMBERS_AT_ONCE])
        if some is None:
            return None
        numerators.append(some[0])
        exponents.append(some[1])
        if turn.ends(len(some[0]) >> _NUMBER_COST):
            yield
    return b"".join(numerators + exponents)


def _fractions(values: Sequence[float]) -> tuple[bytes, bytes] | None:
    """Steps and binary exponents, as 64 and 16 bits of each."""
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
    return steps.astype("<i8").tobytes(), exponents.astype("<i2").tobytes()


def _written(kind: bytes, content: bytes) -> bytes:
    return kind + str(len(content)).encode() + b":" + content

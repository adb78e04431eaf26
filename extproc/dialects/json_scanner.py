"""JSON as bytes that arrive in pieces: where a value ends, and how to pass over one.

Rule: no byte is searched again because another piece came, and nothing is taken on trust.  Extent
finds the end of a value that its caller parses; Skip checks what it passes over, which nobody
parses, as strictly as a parser would (RFC 8259, and no deeper than MAX_DEPTH).
"""

import re
from collections.abc import Callable
from typing import Any, Final

import orjson

from extproc.errors import UpstreamError

MAX_DEPTH: Final = 64
"""Arrays and objects within each other, inside one value."""

QUOTE, COMMA, COLON = b'",:'
OPEN_ARRAY, OPEN_OBJECT = b"[{"
CLOSE_ARRAY, CLOSE_OBJECT = b"]}"
_LONGEST_CHARACTER: Final = 12  # an escaped surrogate pair

_SPACE = rb"[ \t\n\r]*+"
# RFC 3629, section 4.
_UTF8 = (
    rb"[\xc2-\xdf][\x80-\xbf]"
    rb"|\xe0[\xa0-\xbf][\x80-\xbf]|\xed[\x80-\x9f][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}"
)
# Half a surrogate pair is no character.
_ESCAPE = (
    rb'\\(?:["\\/bfnrt]|u(?:(?:[0-9a-ce-fA-CE-F][0-9a-fA-F]|[dD][0-7])[0-9a-fA-F]{2}'
    rb"|[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}))"
)
_CHARACTERS = rb"(?>(?:[ !#-\[\]-\x7f]++|" + _UTF8 + rb"|" + _ESCAPE + rb")*)"
# Only what is certain to fit a float; of other numbers the parser is asked.
_NUMBER = rb"-?(?:0|[1-9][0-9]{0,99}+)(?:\.[0-9]++)?(?:[eE](?:-[0-9]++|\+?[0-9]{1,2}))?"
_STRING = rb'"' + _CHARACTERS + rb'"'
_SIMPLE = rb"|".join((_NUMBER, _STRING, rb"null|true|false|\[\]|\{\}"))


def _item(value: bytes) -> bytes:
    return _SPACE + rb"(?:" + value + rb")" + _SPACE


def _member(value: bytes) -> bytes:
    return _SPACE + _STRING + _SPACE + rb":" + _item(value)


def _flat(opener: bytes, element: bytes, closer: bytes) -> bytes:
    """A whole array or object, which is not empty."""
    followed = rb"(?:,(?!" + _SPACE + closer + rb")|(?=" + closer + rb"))"
    return opener + rb"(?>(?:" + element + followed + rb")+)" + closer


def _elements(element: bytes, closer: bytes) -> re.Pattern[bytes]:
    """As many as there are, each with the comma behind it, or before the closing bracket."""
    return re.compile(rb"(?>(?:" + element + rb"(?:,|(?=" + closer + rb")))*)")


_FLAT = rb"|".join(
    (
        _SIMPLE,
        _flat(rb"\[", _item(_SIMPLE), rb"\]"),
        _flat(rb"\{", _member(_SIMPLE), rb"\}"),
    )
)
_LEVELS: Final = 2  # that the patterns pass over at once

SPACE: Final = re.compile(_SPACE)
_REST_OF_STRING: Final = re.compile(_CHARACTERS)
_ITEMS: Final = _elements(_item(_FLAT), rb"\]")
_MEMBERS: Final = _elements(_member(_FLAT), rb"\}")
_SCALAR: Final = re.compile(rb"[^ \t\n\r,\]}]*+")

_QUOTED = rb'(?>(?:[^"\\]++|\\.)*)'
_PLAIN = rb'[^"\[\]{}]++|"' + _QUOTED + rb'"'
_FLAT_ARRAY = rb'\[[^"\[\]{}]*+\]'
_FLAT_OBJECT = rb"\{(?>(?:" + _PLAIN + rb"|" + _FLAT_ARRAY + rb")*)\}"
_REST_OF_QUOTED: Final = re.compile(_QUOTED, re.DOTALL)
_UNNESTED: Final = re.compile(rb"(?>(?:" + _PLAIN + rb")*)", re.DOTALL)
_NESTED: Final = re.compile(
    rb"(?>(?:" + rb"|".join((_PLAIN, _FLAT_ARRAY, _FLAT_OBJECT)) + rb")*)", re.DOTALL
)


def past(pattern: re.Pattern[bytes], buffer: bytearray, at: int, limit: int) -> int:
    """The offset behind what the pattern matches at this offset."""
    match = pattern.match(buffer, at, limit)
    return match.end() if match else at


def parse(raw: bytes | bytearray) -> Any:
    """One JSON value.  Raise UpstreamError where it is none."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise invalid() from error


def invalid() -> UpstreamError:
    return UpstreamError("the answer is not valid JSON")


class Extent:
    """Finds the end of one value, over as many pieces as it takes.

    Right for any valid value; what it takes for the end of another, a parser refuses.
    """

    __slots__ = ("_depth", "_flat", "_quoted", "_seen")

    def __init__(self) -> None:
        self._seen = 0
        """How much of the value was searched."""
        self._depth = 0
        self._quoted = False
        """Whether the search stands in a string."""
        self._flat = False
        """Whether only numbers were seen since an array began."""

    def find(self, buffer: bytearray, start: int, limit: int) -> int | None:
        """The offset behind the value that starts at ``start``; None where it is not below limit.

        Raise UpstreamError where the value is nested too deeply.
        """
        if buffer[start] in b'"[{':
            if not self._seen:
                self._turn(buffer[start])
                self._seen = 1
            return self._find_closer(buffer, start, limit)
        end = past(_SCALAR, buffer, start + self._seen, limit)
        self._seen = end - start
        return end if end < limit else None

    def _find_closer(self, buffer: bytearray, start: int, limit: int) -> int | None:
        at = start + self._seen
        while at < limit:
            at = (self._quoted_end if self._quoted else self._unquoted_end)(buffer, at, limit)
            if at == limit or (self._quoted and buffer[at] != QUOTE):
                break
            self._turn(buffer[at])
            at += 1
            if not self._depth and not self._quoted:
                return at
        self._seen = at - start
        return None

    def _quoted_end(self, buffer: bytearray, at: int, limit: int) -> int:
        """The next quote that is not escaped; or an escape that is cut off, or the limit."""
        quote = buffer.find(QUOTE, at, limit)
        stop = limit if quote < 0 else quote
        # memchr has forty times the speed of a regular expression.
        quoted = buffer.find(b"\\", at, stop) < 0
        return stop if quoted else past(_REST_OF_QUOTED, buffer, at, limit)

    def _unquoted_end(self, buffer: bytearray, at: int, limit: int) -> int:
        """The next bracket that matters or quote that has no end yet, or the limit."""
        if self._flat:
            closer = buffer.find(b"]", at, limit)
            stop = limit if closer < 0 else closer
            if all(buffer.find(mark, at, stop) < 0 for mark in b'"[{}'):
                return stop
            self._flat = False
        deep = self._depth > MAX_DEPTH - _LEVELS
        return past(_UNNESTED if deep else _NESTED, buffer, at, limit)

    def _turn(self, byte: int) -> None:
        if byte == QUOTE:
            self._quoted = not self._quoted
        elif byte in b"[{":
            self._depth = _deeper(self._depth)
        else:
            self._depth -= 1
        self._flat = byte == OPEN_ARRAY


def _deeper(depth: int) -> int:
    if depth == MAX_DEPTH:
        raise UpstreamError(f"the answer is nested deeper than {MAX_DEPTH} levels")
    return depth + 1


class Skip:
    """Passes over one value of any size, and checks it on the way."""

    __slots__ = ("_closers", "_extent", "_naming", "_step", "done")

    def __init__(self) -> None:
        self.done = False
        self._closers = bytearray()
        """What ends the arrays and objects that are open, outermost first."""
        self._extent = Extent()
        self._naming = False
        """Whether the string being read is a member's name."""
        self._step: Callable[[bytearray, int, int], int] = self._value

    def feed(self, buffer: bytearray, at: int, limit: int) -> int:
        """Pass over what there is below limit; return the offset up to which it was read.

        Raise UpstreamError where it is not JSON.
        """
        while not self.done:
            step, start = self._step, at
            at = step(buffer, at, limit)
            if at == start and self._step == step:
                break
        return at

    def _value(self, buffer: bytearray, at: int, limit: int) -> int:
        at = past(SPACE, buffer, at, limit)
        if at == limit:
            return at
        if buffer[at] == QUOTE:
            self._step = self._string
            return at + 1
        if buffer[at] in b"[{":
            _deeper(len(self._closers))
            self._closers.append(CLOSE_ARRAY if buffer[at] == OPEN_ARRAY else CLOSE_OBJECT)
            self._step = self._first
            return at + 1
        return self._scalar(buffer, at, limit)

    def _scalar(self, buffer: bytearray, at: int, limit: int) -> int:
        end = self._extent.find(buffer, at, limit)
        if end is None:
            return at
        parse(buffer[at:end])
        self._extent = Extent()
        self._complete()
        return end

    def _string(self, buffer: bytearray, at: int, limit: int) -> int:
        at = past(_REST_OF_STRING, buffer, at, limit)
        if at < limit and buffer[at] == QUOTE:
            self._complete()
            return at + 1
        if limit - at >= _LONGEST_CHARACTER:
            raise invalid()
        return at

    def _complete(self) -> None:
        """A name or a value has ended."""
        self._step = self._colon if self._naming else self._next
        self._naming = False
        self.done = not self._closers

    def _first(self, buffer: bytearray, at: int, limit: int) -> int:
        at = past(SPACE, buffer, at, limit)
        if at == limit:
            return at
        if buffer[at] == self._closers[-1]:
            return self._close(at)
        return self._element(buffer, at, limit)

    def _element(self, buffer: bytearray, at: int, limit: int) -> int:
        """Items or members begin; those that are simple are passed over in one go."""
        in_object = self._closers[-1] == CLOSE_OBJECT
        self._step = self._name if in_object else self._value
        if len(self._closers) > MAX_DEPTH - _LEVELS:
            return at
        end = past(_MEMBERS if in_object else _ITEMS, buffer, at, limit)
        if end > at and buffer[end - 1] != COMMA:
            self._step = self._next
        return end

    def _name(self, buffer: bytearray, at: int, limit: int) -> int:
        at = past(SPACE, buffer, at, limit)
        if at == limit:
            return at
        if buffer[at] != QUOTE:
            raise invalid()
        self._naming = True
        self._step = self._string
        return at + 1

    def _colon(self, buffer: bytearray, at: int, limit: int) -> int:
        at = past(SPACE, buffer, at, limit)
        if at == limit:
            return at
        if buffer[at] != COLON:
            raise invalid()
        self._step = self._value
        return at + 1

    def _next(self, buffer: bytearray, at: int, limit: int) -> int:
        at = past(SPACE, buffer, at, limit)
        if at == limit:
            return at
        if buffer[at] == self._closers[-1]:
            return self._close(at)
        if buffer[at] != COMMA:
            raise invalid()
        return self._element(buffer, at + 1, limit)

    def _close(self, at: int) -> int:
        self._closers.pop()
        self._complete()
        return at + 1

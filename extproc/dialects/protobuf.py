"""Protocol Buffers messages as trees: read by a schema of known fields, and written anew.

Rule: what a schema does not name is dropped and counted, and never copied; a known field of
another wire type, or a single one that stands twice, makes the message malformed, since parsers
resolve both in different ways.  Hand-written rather than generated: protobuf's own classes keep
unknown fields without saying how many, copy every tensor twice, and are foreign to the core.
Here a tensor stays a view of the body until the answer is put together.

Source: "Encoding" in the Protocol Buffers documentation (wire types, packed fields).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from extproc.errors import Malformed

Message = dict[str, Any]
"""A message by its fields' names; fields that were not sent are missing.

A varint is an int, a string a str, bytes a memoryview, a message a Message; repeated fields are
lists, but repeated numbers are the octets of their packed form.
"""

MOST_FIELDS: Final = 10_000
"""In one message and all within it; each costs about half a microsecond."""

_WORD: Final = (1 << 64) - 1


class Form(Enum):
    """How a field's value is written."""

    VARINT = auto()
    FIXED64 = auto()
    FIXED32 = auto()
    BYTES = auto()
    STRING = auto()


_LENGTH: Final = 2
_WIRE: Final = {Form.VARINT: 0, Form.FIXED64: 1, Form.FIXED32: 5}
_FIXED: Final = {1: 8, 5: 4}


@dataclass(frozen=True)
class Field:
    """One field that is known."""

    name: str
    form: "Form | Schema"
    repeated: bool = False

    @cached_property
    def wire(self) -> int:
        return _WIRE.get(self.form, _LENGTH) if isinstance(self.form, Form) else _LENGTH

    @cached_property
    def packed(self) -> bool:
        """Whether it holds many numbers, which stand together."""
        return self.repeated and self.wire != _LENGTH


Schema = Mapping[int, Field]
"""The fields of a message by their numbers."""


def decode(message: bytes, schema: Schema, drop: Callable[[str], object]) -> Message:
    """Read a message; ``drop`` is told the place of every field that is not known.

    Raise Malformed where it is none of this schema.
    """
    return _Decoder(drop).read(memoryview(message), schema, "")


class _Decoder:
    def __init__(self, drop: Callable[[str], object]) -> None:
        self._drop = drop
        self._left = MOST_FIELDS

    def read(self, view: memoryview, schema: Schema, place: str) -> Message:
        found: Message = {}
        at, size = 0, len(view)
        while at < size:
            self._left -= 1
            if self._left < 0:
                raise Malformed(f"a message has more than {MOST_FIELDS} fields")
            key, start = varint(view, at)
            start, at = _extent(view, key & 7, start)
            field = schema.get(key >> 3)
            if field is None:
                self._drop(f"{place}.*" if place else "*")
            else:
                name = f"{field.name}[]" if field.repeated else field.name
                inner = f"{place}.{name}" if place else name
                self._take(found, field, key & 7, view[start:at], inner)
        return found

    def _take(
        self, found: Message, field: Field, wire: int, octets: memoryview, place: str
    ) -> None:
        name = field.name
        if field.packed and wire in {_LENGTH, field.wire}:
            found[name] = octets if name not in found else b"".join((found[name], octets))
            return
        if wire != field.wire:
            raise Malformed(f"{place} has another wire type")
        value = self._value(field.form, octets, place)
        if field.repeated:
            found.setdefault(name, []).append(value)
        elif name in found:
            raise Malformed(f"{place} stands twice")
        else:
            found[name] = value

    def _value(self, form: Form | Schema, octets: memoryview, place: str) -> Any:
        match form:
            case Form.VARINT:
                return varint(octets, 0)[0]
            case Form.STRING:
                return _text(octets, place)
            case Form():
                return octets
            case _:
                return self.read(octets, form, place)


def encode(message: Mapping[str, Any], schema: Schema) -> bytes:
    """Write a message, its fields by their numbers."""
    pieces: list[Any] = []
    for number, field in sorted(schema.items()):
        if field.name not in message:
            continue
        value = message[field.name]
        if field.packed:
            pieces += _prefixed(number, value)
        else:
            for item in value if field.repeated else [value]:
                pieces += _written(number, field, item)
    return b"".join(pieces)


def _written(number: int, field: Field, value: Any) -> Sequence[Any]:
    match field.form:
        case Form.VARINT:
            return written(number << 3), written(value)
        case Form.STRING:
            return _prefixed(number, value.encode())
        case Form.BYTES:
            return _prefixed(number, value)
        case Form():
            return written(number << 3 | field.wire), value
        case schema:
            return _prefixed(number, encode(value, schema))


def _prefixed(number: int, octets: Any) -> Sequence[Any]:
    return written(number << 3 | _LENGTH), written(len(octets)), octets


def varint(view: memoryview | bytes, at: int) -> tuple[int, int]:
    """A number of at most 64 bits that begins there, and where it ends."""
    value = shift = 0
    while True:
        if at >= len(view) or shift > 63:
            raise Malformed("a number is cut short, or too long")
        octet = view[at]
        at += 1
        value |= (octet & 0x7F) << shift
        if octet < 0x80:
            return value & _WORD, at
        shift += 7


def written(value: int) -> bytes:
    """A number as a varint; a negative one as two's complement of 64 bits."""
    value &= _WORD
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def signed(value: int) -> int:
    """The int64 that a varint stands for."""
    return value - (1 << 64) if value >> 63 else value


def integers(packed: memoryview | bytes, most: int) -> list[int]:
    """The few int64 that packed octets hold.  Raise Malformed where they are more."""
    found: list[int] = []
    at = 0
    while at < len(packed):
        if len(found) == most:
            raise Malformed(f"more than {most} numbers stand where sizes do")
        value, at = varint(packed, at)
        found.append(signed(value))
    return found


def count(form: Form, packed: memoryview | bytes) -> int:
    """How many numbers packed octets hold.  Raise Malformed where they are cut short."""
    if form is Form.VARINT:
        return len(_ends(packed))
    width = _FIXED[_WIRE[form]]
    if len(packed) % width:
        raise Malformed("packed numbers are cut short")
    return len(packed) // width


def numbers(packed: memoryview | bytes) -> npt.NDArray[np.uint64]:
    """The varints that packed octets hold."""
    ends = _ends(packed)
    octets = np.frombuffer(packed, np.uint8).astype(np.uint64)
    starts = np.concatenate(([0], ends[:-1] + 1)).astype(np.intp)[: len(ends)]
    lengths = ends - starts + 1
    values = np.zeros(len(ends), np.uint64)
    for place in range(int(lengths.max(initial=0))):
        reaching = np.flatnonzero(lengths > place)
        digits = octets[starts[reaching] + place] & np.uint64(0x7F)
        values[reaching] |= digits << np.uint64(7 * place)
    return values


def packed(values: npt.NDArray[np.uint16]) -> bytes:
    """Numbers below 65,536 as packed varints."""
    wide = values.astype(np.uint32)
    octets = np.stack([wide & 0x7F, wide >> 7 & 0x7F, wide >> 14], axis=1).astype(np.uint8)
    octets[wide > 0x7F, 0] |= 0x80
    octets[wide > 0x3FFF, 1] |= 0x80
    kept = np.stack([wide >= 0, wide > 0x7F, wide > 0x3FFF], axis=1)
    return octets[kept].tobytes()


def _ends(packed: memoryview | bytes) -> npt.NDArray[np.intp]:
    """Where each varint has its last octet."""
    ends = np.flatnonzero(np.frombuffer(packed, np.uint8) < 0x80)
    whole = len(ends) and ends[-1] == len(packed) - 1
    if len(packed) and (not whole or np.diff(ends, prepend=-1).max() > 10):
        raise Malformed("a packed number is cut short, or too long")
    return ends


def _extent(view: memoryview, wire: int, at: int) -> tuple[int, int]:
    """Where a value begins and ends."""
    if wire == _LENGTH:
        length, at = varint(view, at)
        end = at + length
    elif wire == 0:
        end = varint(view, at)[1]
    elif wire in _FIXED:
        end = at + _FIXED[wire]
    else:
        raise Malformed("a field has an unknown wire type")
    if end > len(view):
        raise Malformed("a field is cut short")
    return at, end


def _text(octets: memoryview, place: str) -> str:
    try:
        return str(octets, "utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"{place} is not UTF-8") from error

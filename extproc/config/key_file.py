"""The key file: one issued key on each line, as JSON.

Rules: lines are added at the end and bounded; of a key the file holds the keyed hash alone.  There
is one reading: an unknown, repeated or malformed field is an error that names the line and no
value.  A last line that is cut off, without its line break, is still being written: it holds a key
that nobody has been given yet, and is none.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from extproc.config.document import fault
from extproc.errors import ConfigError

MAX_LINE: Final = 2048
"""Octets; the longest of what the fields may hold, were every character escaped, is shorter."""
MAX_NOTE: Final = 120

_AT_ONCE: Final = 1 << 18
"""Octets decoded in one go: a millisecond, so that a thread which loads lets others run."""

Instant = Annotated[datetime, Meta(tz=True)]
_FORMS: Final = {
    "id": (re.compile("[0-9A-Za-z]*"), "write at most 16 letters and digits"),
    "prefix": (re.compile("[!-~]*"), "write at most 20 characters of ASCII, without spaces"),
    "hash": (re.compile("[0-9a-f]*"), "write the 64 digits that extproc keys hash prints"),
    "tenant": (re.compile("[0-9A-Za-z._-]*"), "write the name of a tenant of the policy"),
    "note": (
        re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]*"),
        f"write at most {MAX_NOTE} characters on one line",
    ),
}
"""Of which characters a field consists, and else what to do.  Apart from the types, whose patterns
would each be looked up for each of a million keys: these hold for many keys at once.
"""
_REMEDIES: Final = {field: remedy for field, (_, remedy) in _FORMS.items()}
_TIME: Final = "write a time such as 2026-01-31T00:00:00Z"
_PLACE: Final = re.compile(r" - at `\$\.(\w+)`$")
_FIELD: Final = re.compile(r"Object (?:contains un|missing re)\w+ field `(.*)`", re.DOTALL)


class KeyLine(
    Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False
):
    """One issued key."""

    id: Annotated[str, Meta(min_length=1, max_length=16)]
    prefix: Annotated[str, Meta(min_length=1, max_length=20)]
    """How it begins: of what a leaked key shows, enough to find it."""
    hash: Annotated[str, Meta(min_length=64, max_length=64)]
    """HMAC-SHA256 under ``keys.hmac``."""
    tenant: Annotated[str, Meta(max_length=64)]
    created: Instant
    expires: Instant | None = None
    revoked: Instant | None = None
    note: Annotated[str, Meta(max_length=MAX_NOTE)] = ""


_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_DECODER: Final = msgspec.json.Decoder(KeyLine)
_ENCODER: Final = msgspec.json.Encoder()


def encoded(line: KeyLine) -> bytes:
    """With its line break."""
    return _ENCODER.encode(line) + b"\n"


def check_note(note: str) -> None:
    """Raise ConfigError where no line could hold it."""
    form, remedy = _FORMS["note"]
    if len(note) > MAX_NOTE or not form.fullmatch(note):
        raise ConfigError(f"the note is malformed; {remedy}")


@dataclass(frozen=True, slots=True)
class Piece:
    """Some lines of a key file, one after another."""

    first: int
    """Number of its first line."""
    octets: bytes
    keys: Sequence[KeyLine]
    """One of each line; none, where the file ends in one that is still being written."""

    def lines(self) -> Iterator[tuple[int, bytes, KeyLine]]:
        """The number of each line, what stands there, its line break too, and what it says."""
        texts = self.octets.removesuffix(b"\n").split(b"\n")
        for index, (text, key) in enumerate(zip(texts, self.keys, strict=False)):
            yield self.first + index, text + b"\n", key


def read_pieces(path: Path) -> Iterator[Piece]:
    """Raise ConfigError, ``FILE:LINE: field: what is wrong; what to do``, at the first line that is
    none, and OSError where the file cannot be read.
    """
    number = 1
    for octets, last in _pieces(path):
        keys = _keys(path, number, octets, last=last)
        yield Piece(number, octets, keys)
        number += len(keys)


def _pieces(path: Path) -> Iterator[tuple[bytes, bool]]:
    """Whole lines; and at last what has no line break."""
    rest = b""
    with path.open("rb") as file:
        while len(rest) <= MAX_LINE and (read := file.read(_AT_ONCE)):
            end = read.rfind(b"\n") + 1
            if end:
                yield rest + read[:end], False
                rest = b""
            rest += read[end:]
    if rest:
        yield rest, True


def _keys(path: Path, number: int, octets: bytes, *, last: bool) -> Sequence[KeyLine]:
    """What this program wrote is read at once and found the same when written again; what is
    written in another way, or wrong, is read line by line.
    """
    try:
        keys = _DECODER.decode_lines(octets)
    except _UNREADABLE:
        keys = []
    if keys and _ENCODER.encode_lines(keys) == octets and not _malformed(keys):
        return keys
    if last and len(octets) <= MAX_LINE and not is_json(octets):
        return []
    lines = octets.removesuffix(b"\n").split(b"\n")
    return [_key(path, number + index, line) for index, line in enumerate(lines)]


def _key(path: Path, number: int, line: bytes) -> KeyLine:
    if len(line) > MAX_LINE:
        raise fault(path, number, f"a line of more than {MAX_LINE} bytes", "shorten it")
    if not line.strip():
        raise fault(path, number, "an empty line", "remove it")
    try:
        key = _DECODER.decode(line)
    except msgspec.ValidationError as error:
        raise _fault(path, number, str(error)) from error
    except _UNREADABLE as error:
        raise fault(path, number, "not JSON", "write one key on each line, as JSON") from error
    for field in _malformed([key]):
        raise fault(path, number, f"{field}: malformed", _REMEDIES[field])
    if repeated := json.loads(line, object_pairs_hook=_repeated):
        raise fault(path, number, f"{repeated}: repeated", "keep one of the two")
    return key


def _malformed(keys: Sequence[KeyLine]) -> list[str]:
    """Fields in which any of the keys has a character that it may not have."""
    return [
        field
        for field, (form, _) in _FORMS.items()
        if not form.fullmatch("".join(map(attrgetter(field), keys)))
    ]


def is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text)
    except _UNREADABLE:
        return False
    return True


def _repeated(pairs: list[tuple[str, Any]]) -> str:
    """The first field that is named twice."""
    names = [name for name, _ in pairs]
    return next((name for name in names if names.count(name) > 1), "")


def _fault(path: Path, number: int, error: str) -> ConfigError:
    if field := _FIELD.match(error):
        known = ", ".join(KeyLine.__struct_fields__)
        if error.startswith("Object missing"):
            return fault(path, number, f"{field[1]}: missing", "add it")
        return fault(path, number, "an unknown field", f"a key has {known}")
    place = _PLACE.search(error)
    if place is None:
        return fault(path, number, "no key", "write one key on each line, as a JSON object")
    remedy = _REMEDIES.get(place[1], _TIME)
    return fault(path, number, f"{place[1]}: malformed", remedy)

"""Comma-separated values: records of fields, and back (RFC 4180).

Rule: one reading only.  A quote inside a bare field, text behind a closing quote, a bare CR, an
empty line, octets that are not UTF-8 and records of several lengths are no CSV here: programs read
them in different ways.  The last record may lack its end.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from extproc.dialects.answers import Steps, at_once

Record = list[str]

_LINES: Final = 500
_FIELDS: Final = 2_000
"""Lines, or fields where there are quotes, that are read in one step."""
_FIELD: Final = re.compile(r'(?:"((?:[^"]|"")*+)"|([^",\r\n]*+))(,|\r?\n|\Z)')
_SPECIAL: Final = re.compile(r'[",\r\n]')


def records(body: bytes) -> list[Record] | None:
    """The records of a body, all of the same length; None where it is no CSV."""
    return at_once(reading(body))


def reading(body: bytes) -> Steps[list[Record] | None]:
    """The same, in steps between which others have their turn."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    found = yield from _plain(text) if '"' not in text else _quoted(text)
    if not found or any(record == [""] or len(record) != len(found[0]) for record in found):
        return None
    return found


def _plain(text: str) -> Steps[list[Record] | None]:
    """Without quotes: what most models write, and quicker."""
    text = text.replace("\r\n", "\n").removesuffix("\n")
    if "\r" in text:
        return None
    found: list[Record] = []
    for number, line in enumerate(text.split("\n"), 1):
        found.append(line.split(","))
        if not number % _LINES:
            yield
    return found


def _quoted(text: str) -> Steps[list[Record] | None]:
    found: list[Record] = [[]]
    at = fields = 0
    while True:
        match = _FIELD.match(text, at)
        if match is None:
            return None
        quoted, bare, end = match.groups()
        found[-1].append(bare if quoted is None else quoted.replace('""', '"'))
        at = match.end()
        fields += 1
        if not fields % _FIELDS:
            yield
        if at == len(text) and end != ",":
            return found
        if end != ",":
            found.append([])


def rendered(written: Iterable[Sequence[str]]) -> bytes:
    """Records as a body; fields are quoted where they must be."""
    return b"".join(",".join(map(_field, record)).encode() + b"\n" for record in written)


def _field(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _SPECIAL.search(text) else text

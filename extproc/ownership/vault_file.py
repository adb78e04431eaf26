"""Opens a vault of marks, with the key that is nowhere near the gateway.

Rule: an entry that was opened is shown to others as it is, and proves itself by its commitment:
whoever is to be convinced needs no key, and sees no more entries than they are shown.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from extproc.auditor.files import lines
from extproc.errors import ConfigError, Malformed
from extproc.marks.entry import Entry, Line, commitment, opened, private_key

_decode: Final = msgspec.json.Decoder(Line).decode
_decode_entry: Final = msgspec.json.Decoder(Entry).decode
_encode: Final = msgspec.json.Encoder().encode


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of a vault that was opened."""

    entry: str
    """Its JSON, byte for byte."""


_decode_shown: Final = msgspec.json.Decoder(Shown).decode


@dataclass(frozen=True, slots=True)
class Opened:
    entries: Mapping[str, Entry]
    """By their commitments; each is what its commitment is of."""
    unopened: int
    """Lines that are torn, sealed to another key, or not what they say they are of."""
    undrawn: int | None = None
    """Entries left out: see drawn.py; None where nobody looked."""


def read_key(path: Path) -> X25519PrivateKey:
    """Raise ConfigError where it cannot be read, or is no key."""
    try:
        return private_key(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name the vault's private key") from error
    except Malformed as error:
        remedy = "name the private key that `extproc keys vault` made"
        raise ConfigError(f"{path}: {error}; {remedy}") from error


def open_vault(paths: Sequence[Path], key: X25519PrivateKey | None) -> Opened:
    """Without a key only what is shown is read.

    Raise ConfigError where a file cannot be read, or nothing in it can be opened.
    """
    entries: dict[str, Entry] = {}
    unopened = 0
    for path in paths:
        try:
            for raw in lines(path):
                entry = _entry(raw, key)
                if entry is None:
                    unopened += 1
                else:
                    entries[entry[0]] = entry[1]
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}; name the vault's files") from error
    if unopened and not entries:
        raise ConfigError("nothing in the vault opens; name the key that it is sealed to")
    return Opened(entries, unopened)


def shown(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Lines for others to read."""
    for entry in entries:
        yield _encode(Shown(_encode(entry).decode())) + b"\n"


def _entry(raw: bytes, key: X25519PrivateKey | None) -> tuple[str, Entry] | None:
    """None where nobody can read it, or what is asked in it."""
    try:
        found = _opened(raw, key)
        if found is not None:
            msgspec.json.decode(bytes(found[1].input))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, Malformed):
        return None
    return found


def _opened(raw: bytes, key: X25519PrivateKey | None) -> tuple[str, Entry] | None:
    if raw.startswith(b'{"entry":'):
        octets = _decode_shown(raw).entry.encode()
        return commitment(octets), _decode_entry(octets)
    line = _decode(raw)
    return (line.commitment, opened(line, key)) if key is not None else None

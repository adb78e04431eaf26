"""How one line of an audit log binds the next.

A line is a JSON object that begins with its number ``n`` and ends with ``hash``: the SHA-256 of the
hash of the line before and of the line's own bytes up to there.  Numbers go on from file to file
and from run to run, so that what is missing can be counted.  A checkpoint also has a ``signature``
(Ed25519) of the same: who changes a line must change every hash after it, and cannot sign anew.

Rule: what is verified are the bytes as they stand, never a value written anew: no two readings.
Source: Schneier and Kelsey, Secure Audit Logs to Support Computer Forensics (1999); RFC 8032.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Final

import msgspec
from msgspec import Struct

from extproc.audit.record import Checkpoint, End, Entry, Gap, Opening, Told

GENESIS: Final = bytes(32)
"""What the first line of all follows."""
DOMAIN: Final = b"extproc audit checkpoint\0"
"""What is signed begins so: one key may sign other things elsewhere."""

_HASH: Final = b',"hash":"'
_SIGNATURE: Final = b',"signature":"'
_SUFFIX: Final = len(_HASH) + 64 + len('"}')
_HEX: Final = re.compile(rb"[0-9a-f]{64}")
"""One spelling: capitals would be a change that no hash shows."""
_encode = msgspec.json.Encoder().encode

Sign = Callable[[bytes], bytes]


class Tip(Struct, frozen=True):
    """The end of a chain."""

    number: int = 0
    hash: bytes = GENESIS
    file: int = 0
    """Of the file that it stands in; 0 before there is any."""

    def __str__(self) -> str:
        return f"{self.number}:{self.hash.hex()}"


class Chain:
    """Makes the lines of a log, one after the other."""

    def __init__(self, sign: Sign, key: str, tip: Tip | None = None) -> None:
        """``key`` is the name of the key that signs."""
        self.tip = tip or Tip()
        self.unsigned = 0
        """Records, and other lines that were told, since the last checkpoint."""
        self._sign, self._key = sign, key

    def opening(self, now: datetime, every: int) -> bytes:
        """The first lines of the next file."""
        file = self.tip.file + 1
        self.tip = msgspec.structs.replace(self.tip, file=file)
        first = self._line(Opening(now, file, self.tip.hash.hex(), every))
        return first + self.checkpoint(now)

    def record(self, record: Told) -> bytes:
        self.unsigned += 1
        return self._line(record)

    def gap(self, gap: Gap) -> bytes:
        return self._line(gap)

    def checkpoint(self, now: datetime, end: End = "") -> bytes:
        body = self._body(Checkpoint(now, self._key, end))
        signature = b64encode(self._sign(DOMAIN + self.tip.hash + body))
        self.unsigned = 0
        return self._sealed(body + _SIGNATURE + signature + b'"')

    def _line(self, entry: Entry) -> bytes:
        return self._sealed(self._body(entry))

    def _body(self, entry: Entry) -> bytes:
        return b'{"n":%d,%b' % (self.tip.number + 1, _encode(entry)[1:-1])

    def _sealed(self, body: bytes) -> bytes:
        digest = sha256(self.tip.hash + body).digest()
        self.tip = Tip(self.tip.number + 1, digest, self.tip.file)
        return b"".join((body, _HASH, digest.hex().encode(), b'"}\n'))


class Line(Struct, frozen=True):
    """A line that was read; nothing of it is believed yet."""

    said: "Said"
    body: bytes
    claimed: bytes
    """Its hash, as it says."""

    def follows(self, base: bytes) -> bool:
        return self.hash(base) == self.claimed

    def hash(self, base: bytes) -> bytes:
        return sha256(base + self.body).digest()

    def signed(self, base: bytes) -> bytes:
        """What the signature of a checkpoint is of."""
        return DOMAIN + base + self.body.rpartition(_SIGNATURE)[0]


class Said(Struct, frozen=True):
    """What is read of a line, whatever its kind."""

    n: int
    kind: str
    time: datetime | None = None
    end: str = ""
    key: str = ""
    signature: str = ""
    file: int = 0
    previous: str = ""
    every: int = 0
    reason: str = ""
    count: int | None = None
    torn: int = 0


_decode = msgspec.json.Decoder(Said).decode


def read(raw: bytes) -> Line | None:
    """A line with its line break; None where it is no whole line of an audit log."""
    text = raw.removesuffix(b"\n")
    body, digest = text[:-_SUFFIX], text[-_SUFFIX:]
    if text == raw or not (digest.startswith(_HASH) and digest.endswith(b'"}')):
        return None
    try:
        said = _decode(text)
    except (msgspec.MsgspecError, ValueError):
        return None
    found = _HEX.fullmatch(digest[len(_HASH) : -2])
    return Line(said, body, bytes.fromhex(found[0].decode())) if found is not None else None


class Found(Struct, frozen=True):
    """The end of a file that was not written to its end, perhaps."""

    tip: Tip
    torn: int
    """Bytes behind the tip's line."""
    closed: bool
    """Whether its writer ended as it should."""


def last(tail: bytes, file: int) -> Found | None:
    """Where a file that ends so can be gone on with: after the last line that follows another.

    None where there is no such line.
    """
    lines = tail.splitlines(keepends=True)
    torn = 0
    for index in range(len(lines) - 1, -1, -1):
        line = read(lines[index])
        before = read(lines[index - 1]) if index else None
        if line is not None and any(map(line.follows, _bases(line, before))):
            tip = Tip(line.said.n, line.claimed, file)
            return Found(tip, torn, closed=line.said.end == "stopped" and not torn)
        torn += len(lines[index])
    return None


def _bases(line: Line, before: Line | None) -> Iterator[bytes]:
    if before is not None:
        yield before.claimed
    elif line.said.kind == "open":
        yield opened_on(line.said)


def opened_on(said: Said) -> bytes:
    """What the first line of a file says that it follows."""
    try:
        return bytes.fromhex(said.previous)
    except ValueError:
        return b""

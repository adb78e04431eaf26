"""Whether a body is the one that its sender told by digest (RFC 9530, ``Content-Digest``).

Rules: sha-256 and sha-512 count, each once, and all that are given must fit; another algorithm, or
another way to write them, is refused.  A body is hashed as it comes, piece by piece.
"""

import hashlib
import hmac
import re
from base64 import b64decode
from typing import Final

from extproc.events import RequestBody, RequestHeaders, RequestTrailers

EMPTY: Final = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
"""Of no body at all."""

_HASHES: Final = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
_LONGEST: Final = 256
# RFC 8941, section 4.1: what a Dictionary of Byte Sequences is written as.
_MEMBER: Final = re.compile(
    r"(sha-256)=:([A-Za-z0-9+/]{43}=):|(sha-512)=:([A-Za-z0-9+/]{86}==):", re.ASCII
)
_SEPARATOR: Final = re.compile(r",[ \t]?")


def digests(value: str) -> dict[str, bytes] | None:
    """By algorithm, one at least; None where the field holds anything else."""
    found: dict[str, bytes] = {}
    if len(value) > _LONGEST:
        return None
    for text in _SEPARATOR.split(value):
        member = _MEMBER.fullmatch(text)
        name = member and (member[1] or member[3])
        if member is None or not name or name in found:
            return None
        found[name] = b64decode(member[2] or member[4])
    return found


class BodyDigest:
    """Of one body, against the digests that it must have."""

    def __init__(self, expected: str) -> None:
        """``expected`` is a value of Content-Digest; one that cannot be read fits no body."""
        self._expected = digests(expected) or {}
        self._running = {name: _HASHES[name]() for name in self._expected}

    def passes(self, event: object) -> bool:
        """Whether this event may go on: a body is judged once its end is here."""
        match event:
            case RequestBody(data, end):
                self._feed(data)
                return not end or self._fits()
            case RequestHeaders(end):
                return not end or self._fits()
            case RequestTrailers():
                return self._fits()
            case _:
                return True

    def _feed(self, data: bytes) -> None:
        for running in self._running.values():
            running.update(data)

    def _fits(self) -> bool:
        """Compared in constant time."""
        found = [
            hmac.compare_digest(running.digest(), self._expected[name])
            for name, running in self._running.items()
        ]
        return bool(found) and all(found)

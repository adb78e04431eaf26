"""Signs reports, and finds out whether one is as it was signed.

Rule: what is verified are the bytes as they stand, never a value written anew.  A report in JSON is
one member of an object whose other one is the signature, and nothing else stands there: of a name
that stands twice readers take one or the other.  A page ends with a comment that holds it.
Ed25519 (RFC 8032), with keys as `extproc audit key` makes them.
"""

import re
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from extproc.audit import signature
from extproc.errors import ConfigError, Malformed

_JSON: Final = b"extproc ownership report\0"
_PAGE: Final = b"extproc ownership page\0"
"""What is signed begins with, so that neither is the other."""
_END: Final = re.compile(rb"<!-- signed by ([0-9a-f]{16}): ([A-Za-z0-9+/=]+) -->\n\Z")


class Signature(msgspec.Struct, frozen=True):
    key: str
    """See audit/signature.name."""
    ed25519: str
    """In base64."""


class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A report in JSON, signed."""

    report: msgspec.Raw
    signature: Signature


def read_key(path: Path) -> Ed25519PrivateKey:
    """Raise ConfigError where it cannot be read, or is no key."""
    remedy = "make one with: extproc audit key FILE"
    try:
        return signature.private_key(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; {remedy}") from error
    except Malformed as error:
        raise ConfigError(f"{path}: {error}; {remedy}") from error


def sealed_json(report: bytes, key: Ed25519PrivateKey) -> bytes:
    return _beside(report, _signature(_JSON + report, key))


def sealed_page(page: bytes, key: Ed25519PrivateKey) -> bytes:
    made = _signature(_PAGE + page, key)
    return page + b"<!-- signed by %b: %b -->\n" % (made.key.encode(), made.ed25519.encode())


def is_as_signed(sealed: bytes, key: Ed25519PublicKey) -> bool:
    """Whether this key signed it, and nothing was changed since."""
    found = _parts(sealed)
    if found is None or found[1].key != signature.name(key):
        return False
    try:
        made = b64decode(found[1].ed25519, validate=True)
    except ValueError:
        return False
    return signature.verifies(key, made, found[0])


def _parts(sealed: bytes) -> tuple[bytes, Signature] | None:
    """What is signed, and the signature."""
    end = _END.search(sealed)
    if end is not None:
        return _PAGE + sealed[: end.start()], Signature(end[1].decode(), end[2].decode())
    try:
        found = msgspec.json.decode(sealed, type=Sealed)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    said = bytes(found.report)
    return (_JSON + said, found.signature) if _beside(said, found.signature) == sealed else None


def _beside(report: bytes, made: Signature) -> bytes:
    return b'{"report": %b,\n"signature": %b}\n' % (report, msgspec.json.encode(made))


def _signature(said: bytes, key: Ed25519PrivateKey) -> Signature:
    made = b64encode(key.sign(said)).decode()
    return Signature(signature.name(key.public_key()), made)

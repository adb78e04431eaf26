"""What is committed to of a mark or a control, and how that is sealed and opened.

Rule: the audit log holds the commitment, the vault the entry, sealed to a key that is not on the
machine; neither tells an input or a label.  An entry is opened by whoever has that key, and shown
to whoever is to be convinced: its commitment is a digest of the entry itself, and of a salt without
which nobody finds one by trying inputs, so that no key need be shown with it.

Sources: RFC 9180 (HPKE: X25519, HKDF-SHA-256, ChaCha20-Poly1305, base mode), RFC 8410 (PEM).
"""

from hashlib import sha256
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from extproc.errors import Malformed
from extproc.marks.contenders import Class
from extproc.marks.marking import Moved
from extproc.marks.stamps import Stamp

SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
INFO: Final = b"extproc vault 1"
_DOMAIN: Final = b"extproc mark commitment\0"


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One cell that was answered, or what marks texts, for one cohort or tenant of one model."""

    salt: str
    """At least 16 random octets, in hexadecimal digits."""
    time: str
    """RFC 3339."""
    tenant: str
    """Who asked."""
    cohort: str
    """Whose key it was; empty where it was the tenant's own."""
    route: str
    model: str
    epoch: int
    """``keys.epoch``."""
    cell: str
    """See stamps.name."""
    stamp: Stamp
    input: msgspec.Raw
    """As the dialect read it; of a list or a processor, what its key is used with."""
    truth: Class
    """What the model says it is; see marking.Finding."""
    other: Class
    """What it says next: told as the likeliest where the cell is marked."""
    moved: Moved | None = None
    """Of an embedding: all that its marks can be looked for by, and nothing else has to be
    shown."""


class Line(msgspec.Struct, frozen=True):
    """One line of a vault."""

    commitment: str
    """64 hexadecimal digits, as the audit log has it."""
    sealed: bytes
    """In base64: an entry's JSON."""


def commitment(entry: bytes) -> str:
    """Of an entry's JSON, byte for byte."""
    return sha256(_DOMAIN + entry).hexdigest()


def opened(line: Line, key: X25519PrivateKey) -> Entry:
    """Raise Malformed where it is sealed to another key, or is not what was committed to."""
    try:
        found = SUITE.decrypt(line.sealed, key, INFO)
        if commitment(found) != line.commitment:
            raise Malformed("an entry is not what its commitment is of")
        return msgspec.json.decode(found, type=Entry)
    except (InvalidTag, ValueError, msgspec.MsgspecError) as error:
        raise Malformed("an entry cannot be opened with this key") from error


def recipient(pem: bytes) -> X25519PublicKey:
    """Raise Malformed where it is another thing: a private key above all, which is not to be
    there.
    """
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Malformed("no public key in PEM") from error
    if not isinstance(key, X25519PublicKey):
        raise Malformed("a key that is not X25519")
    return key


def private_key(pem: bytes) -> X25519PrivateKey:
    """Raise Malformed where it is another thing."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Malformed("no private key in PEM, without a password") from error
    if not isinstance(key, X25519PrivateKey):
        raise Malformed("a key that is not X25519")
    return key

"""Keys that sign checkpoints: Ed25519 (RFC 8032), in PEM as openssl writes it (RFC 8410)."""

from hashlib import sha256

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_pem_public_key,
)

from extproc.errors import Malformed


def private_key(pem: bytes) -> Ed25519PrivateKey:
    """Raise Malformed where it is another thing."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Malformed("no private key in PEM, without a password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Malformed("a key that is not Ed25519")
    return key


def public_key(pem: bytes) -> Ed25519PublicKey:
    """The public key, or that of a private one.  Raise Malformed where it is another thing."""
    if b"PRIVATE KEY" in pem:
        return private_key(pem).public_key()
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Malformed("no public key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise Malformed("a key that is not Ed25519")
    return key


def name(key: Ed25519PublicKey) -> str:
    """16 hexadecimal digits, by which checkpoints say who signed them."""
    return sha256(key.public_bytes_raw()).hexdigest()[:16]


def verifies(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True

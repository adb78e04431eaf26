"""Keys that signatures are checked with, by the algorithms of RFC 9421, section 3.3.

Rule: a key is of one algorithm, which the policy names; a signature never chooses.
"""

import hmac
from collections.abc import Callable
from typing import Annotated, Final, Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from msgspec import Meta, Struct

Algorithm = Annotated[
    Literal["ed25519", "ecdsa-p256-sha256", "rsa-pss-sha512", "hmac-sha256"],
    Meta(description="ed25519, ecdsa-p256-sha256, rsa-pss-sha512 or hmac-sha256"),
]
Check = Callable[[bytes, bytes], object]
"""Of a signature and the text it is over; raises InvalidSignature."""

_RSA_BITS: Final = range(2048, 4097)
_PSS: Final = padding.PSS(padding.MGF1(SHA512()), salt_length=64)
_ECDSA: Final = ec.ECDSA(SHA256())


class VerifyingKey(Struct, frozen=True):
    """Whose signatures are checked with what."""

    tenant: str
    algorithm: Algorithm
    check: Check

    def verifies(self, signature: bytes, text: bytes) -> bool:
        try:
            self.check(signature, text)
        except InvalidSignature:
            return False
        return True


def checked_by(algorithm: Algorithm, material: bytes) -> Check | None:
    """``material`` is a public key in PEM, or the secret; None where it is of another algorithm."""
    if algorithm == "hmac-sha256":
        return lambda signature, text: _hmac(material, signature, text)
    try:
        key = load_pem_public_key(material)
    except (ValueError, UnsupportedAlgorithm):
        return None
    match algorithm, key:
        case "ed25519", ed25519.Ed25519PublicKey():
            return key.verify
        case "ecdsa-p256-sha256", ec.EllipticCurvePublicKey(curve=ec.SECP256R1()):
            return lambda signature, text: key.verify(_der(signature), text, _ECDSA)
        case "rsa-pss-sha512", rsa.RSAPublicKey(key_size=bits) if bits in _RSA_BITS:
            return lambda signature, text: key.verify(signature, text, _PSS, SHA512())
    return None


def _hmac(secret: bytes, signature: bytes, text: bytes) -> None:
    if not hmac.compare_digest(hmac.digest(secret, text, "sha256"), signature):
        raise InvalidSignature


def _der(signature: bytes) -> bytes:
    """RFC 9421, section 3.3.4: r and s, 32 octets each."""
    if len(signature) != 64:
        raise InvalidSignature
    return encode_dss_signature(
        *(int.from_bytes(half) for half in (signature[:32], signature[32:]))
    )

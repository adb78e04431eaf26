"""Public keys that signatures are checked with (RFC 9421, sections 3.3.1, 3.3.4 and 3.3.6), by
cryptography, which is imported only where a policy has one.
"""

from collections.abc import Callable
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import load_pem_public_key

_RSA_BITS: Final = range(2048, 4097)
_PSS: Final = padding.PSS(padding.MGF1(SHA512()), salt_length=64)
_ECDSA: Final = ec.ECDSA(SHA256())


def check_of(algorithm: str, pem: bytes) -> Callable[[bytes, bytes], bool] | None:
    """Whether a signature is of a text; None where the key is none, or of another algorithm."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        return None
    match algorithm, key:
        case "ed25519", ed25519.Ed25519PublicKey():
            return lambda signature, text: _holds(key.verify, signature, text)
        case "ecdsa-p256-sha256", ec.EllipticCurvePublicKey(curve=ec.SECP256R1()):
            return lambda signature, text: _ecdsa(key, signature, text)
        case "rsa-pss-sha512", rsa.RSAPublicKey(key_size=bits) if bits in _RSA_BITS:
            return lambda signature, text: _holds(key.verify, signature, text, _PSS, SHA512())
    return None


def _holds(verify: Callable[..., None], *what: Any) -> bool:
    try:
        verify(*what)
    except InvalidSignature:
        return False
    return True


def _ecdsa(key: ec.EllipticCurvePublicKey, signature: bytes, text: bytes) -> bool:
    """RFC 9421, section 3.3.4: r and s, 32 octets each."""
    if len(signature) != 64:
        return False
    r, s = (int.from_bytes(half) for half in (signature[:32], signature[32:]))
    return _holds(key.verify, encode_dss_signature(r, s), text, _ECDSA)

import hmac
from base64 import b64decode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from extproc.credentials.signature_key import VerifyingKey, checked_by
from tests.credentials.signing import PRIVATE, public

TEXT = b"what is signed"


def verifying(algorithm: Any, material: bytes | None = None) -> VerifyingKey:
    check = checked_by(algorithm, public(PRIVATE[algorithm]) if material is None else material)
    assert check is not None
    return VerifyingKey("acme", algorithm, check)


def test_the_keys_of_rfc_9421_check_its_signatures() -> None:
    """Appendix B.2.6 and B.2.5."""
    pem = (
        b"-----BEGIN PUBLIC KEY-----\n"
        b"MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n"
        b"-----END PUBLIC KEY-----\n"
    )
    text = (
        b'"date": Tue, 20 Apr 2021 02:07:55 GMT\n"@method": POST\n"@path": /foo\n'
        b'"@authority": example.com\n"content-type": application/json\n"content-length": 18\n'
        b'"@signature-params": ("date" "@method" "@path" "@authority" "content-type" '
        b'"content-length");created=1618884473;keyid="test-key-ed25519"'
    )
    signature = b64decode(
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    )
    assert verifying("ed25519", pem).verifies(signature, text)
    secret = b64decode(
        "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
    )
    text = (
        b'"date": Tue, 20 Apr 2021 02:07:55 GMT\n"@authority": example.com\n'
        b'"content-type": application/json\n"@signature-params": ("date" "@authority" '
        b'"content-type");created=1618884473;keyid="test-shared-secret"'
    )
    signature = b64decode("pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=")
    assert verifying("hmac-sha256", secret).verifies(signature, text)


@pytest.mark.parametrize("algorithm", PRIVATE)
def test_other_octets_are_no_signature(algorithm: str) -> None:
    key = verifying(algorithm)
    for size in (0, 1, 31, 32, 63, 64, 65, 255, 256, 257, 512):
        assert not key.verifies(b"\0" * size, TEXT)
        assert not key.verifies(b"\xff" * size, TEXT)


def test_ecdsa_is_two_numbers_of_32_octets_and_not_der() -> None:
    private = PRIVATE["ecdsa-p256-sha256"]
    der = private.sign(TEXT, ec.ECDSA(SHA256()))
    r, s = decode_dss_signature(der)
    key = verifying("ecdsa-p256-sha256")
    assert key.verifies(r.to_bytes(32) + s.to_bytes(32), TEXT)
    assert not key.verifies(der, TEXT)
    assert not key.verifies(s.to_bytes(32) + r.to_bytes(32), TEXT)


@given(signature=st.binary(max_size=300), text=st.binary(max_size=100))
def test_whatever_is_shown_nothing_is_raised(signature: bytes, text: bytes) -> None:
    for algorithm in PRIVATE:
        assert not verifying(algorithm).verifies(signature, text)


def test_a_public_key_is_no_secret() -> None:
    """What a stranger knows of a key must not make signatures: ``alg`` chooses nothing."""
    private = PRIVATE["ed25519"]
    assert isinstance(private, ed25519.Ed25519PrivateKey)
    forged = hmac.digest(public(private), TEXT, "sha256")
    assert not verifying("ed25519").verifies(forged, TEXT)

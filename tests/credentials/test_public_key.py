from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from extproc.credentials.public_key import check_of
from tests.credentials.signing import PRIVATE, SECRET, public


@pytest.mark.parametrize("algorithm", ["ed25519", "ecdsa-p256-sha256", "rsa-pss-sha512"])
def test_a_key_of_another_kind_is_none(algorithm: Any) -> None:
    for other in ("ed25519", "ecdsa-p256-sha256", "rsa-pss-sha512"):
        assert (check_of(algorithm, public(PRIVATE[other])) is None) == (other != algorithm)
    for material in (SECRET, b"", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"):
        assert check_of(algorithm, material) is None
    private = PRIVATE["ed25519"].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert check_of(algorithm, private) is None


def test_keys_that_are_too_small_or_of_another_curve_are_none() -> None:
    assert check_of("rsa-pss-sha512", public(rsa.generate_private_key(65537, 1024))) is None
    p384 = ec.generate_private_key(ec.SECP384R1())
    assert check_of("ecdsa-p256-sha256", public(p384)) is None
    assert check_of("ed25519", public(ed448.Ed448PrivateKey.generate())) is None

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from extproc.audit.signature import name, private_key, public_key, verifies
from extproc.errors import Malformed
from tests.audit.logs import KEY, OTHER

PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
LOCKED = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
CURVE = generate_private_key(SECP256R1())
WRONG = CURVE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
WRONG_PUBLIC = CURVE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_a_key_is_read_whichever_half_is_given() -> None:
    assert private_key(PRIVATE.rstrip()).public_key() == KEY.public_key()
    assert public_key(PRIVATE) == public_key(PUBLIC) == KEY.public_key()


def test_keys_that_openssl_makes_are_read(tmp_path: Path) -> None:
    file = tmp_path / "k.pem"
    command = ["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(file)]
    subprocess.run(command, check=True, capture_output=True)
    command = ["openssl", "pkey", "-in", str(file), "-pubout"]
    public = subprocess.run(command, check=True, capture_output=True).stdout
    assert public_key(public) == private_key(file.read_bytes()).public_key()


@pytest.mark.parametrize("pem", [b"", b"hello", PUBLIC, LOCKED, WRONG, PRIVATE[:60]])
def test_what_is_no_private_key_is_refused_without_its_content(pem: bytes) -> None:
    with pytest.raises(Malformed) as error:
        private_key(pem)
    assert str(error.value) in {
        "no private key in PEM, without a password",
        "a key that is not Ed25519",
    }


@pytest.mark.parametrize("pem", [b"", b"hello", LOCKED, WRONG, WRONG_PUBLIC, PUBLIC[:60]])
def test_what_is_no_public_key_is_refused(pem: bytes) -> None:
    with pytest.raises(Malformed):
        public_key(pem)


def test_keys_have_names() -> None:
    assert len(bytes.fromhex(name(KEY.public_key()))) == 8
    assert name(KEY.public_key()) != name(OTHER.public_key())


def test_a_signature_is_of_one_key_and_one_message() -> None:
    signature = KEY.sign(b"this")
    assert verifies(KEY.public_key(), signature, b"this")
    assert not verifies(KEY.public_key(), signature, b"that")
    assert not verifies(OTHER.public_key(), signature, b"this")
    assert not verifies(KEY.public_key(), b"", b"this")

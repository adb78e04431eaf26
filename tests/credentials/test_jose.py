import pytest
from joserfc.jwk import Key

from extproc.credentials.jose import Verifier
from extproc.errors import Malformed
from tests.issuer import EC, OTHER_EC, RSA, token

VERIFIER = Verifier(("ES256",))
TOKEN = token(EC, "ES256").encode()


@pytest.mark.parametrize(("key", "whose"), [(EC, True), (OTHER_EC, False)])
def test_a_token_is_of_whoever_signed_it(key: Key, whose: bool) -> None:
    assert VERIFIER.verifies(VERIFIER.read(TOKEN), key) is whose


def test_of_a_token_only_its_parts_are_read() -> None:
    assert VERIFIER.read(TOKEN).payload.startswith(b"{")


@pytest.mark.parametrize("wrong", [b"", b"a.b", b"a.b.c", b"....", b"\xff.\xff.\xff"])
def test_what_is_no_token_is_malformed(wrong: bytes) -> None:
    with pytest.raises(Malformed):
        VERIFIER.read(wrong)


def test_neither_another_algorithm_nor_another_kind_of_key_verifies() -> None:
    signed = VERIFIER.read(TOKEN)
    with pytest.raises(Malformed):
        VERIFIER.verifies(signed, RSA)
    with pytest.raises(Malformed):
        Verifier(("RS256",)).verifies(signed, EC)

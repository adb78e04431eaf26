"""Pairs of keys, as openssl writes and reads them."""

from extproc.config.vault_key import new_pair
from extproc.marks.entry import private_key, recipient


def test_the_halves_belong_together() -> None:
    private, public = new_pair()
    assert private_key(private).public_key() == recipient(public)
    assert private.startswith(b"-----BEGIN PRIVATE KEY-----")
    assert new_pair()[0] != private

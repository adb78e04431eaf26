from extproc.credentials.key_set import key_set
from extproc.credentials.keyring import Keyring
from tests.issuer import RSA, jwks


def test_keys_are_trusted_until_they_are_stale() -> None:
    ring, keys = Keyring(), key_set(jwks(RSA), ("RS256",))
    assert ring.keys(0.0) is None
    ring.renew(keys, 10.0)
    assert ring.keys(9.9) is keys
    assert ring.keys(10.0) is None
    ring.renew(None, 20.0)
    assert ring.keys(10.0) is keys
    assert (ring.last, ring.until) == (keys, 20.0)
    ring.missed()  # nobody fetches: nothing happens

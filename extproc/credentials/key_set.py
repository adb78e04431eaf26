"""The public keys of an issuer: a JWK Set (RFC 7517, section 5).

Rules: a key serves the algorithms of its own kind, and only the one it names where it names one;
keys that are symmetric, private, for encryption, or of a kind we do not know are passed over.  A
set in which the key of an id and algorithm is not certain is no set.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key

from extproc.credentials.keyring import MAX_BYTES, KeySet
from extproc.errors import Malformed

MAX_KEYS: Final = 100

_RSA: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_RSA_BITS: Final = range(2048, 8193)
"""RFC 7518, section 3.3, asks for 2048; what is longer only takes long."""
_EC: Final = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}


def key_set(content: bytes, algorithms: Collection[str]) -> KeySet:
    """The keys of a set that can serve these algorithms.  Raise Malformed where none can."""
    found: dict[tuple[str | None, str], Key] = {}
    counts = dict.fromkeys(algorithms, 0)
    for kid, key, served in _usable(_listed(content)):
        for algorithm in counts.keys() & served:
            if kid is not None and (kid, algorithm) in found:
                raise Malformed(f"two keys for {algorithm} have one id")
            found[kid, algorithm] = found[None, algorithm] = key
            counts[algorithm] += 1
    if not found:
        raise Malformed("it has no key for any of the algorithms")
    for algorithm, count in counts.items():
        if count > 1:  # then a token must say by which
            found.pop((None, algorithm))
    return found


def _listed(content: bytes) -> list[Any]:
    if len(content) > MAX_BYTES:
        raise Malformed(f"it has more than {MAX_BYTES} bytes")
    try:
        document = msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("it is not JSON") from error
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        raise Malformed(f"it is not an object with a list 'keys' of at most {MAX_KEYS}")
    return keys


def _usable(listed: list[Any]) -> Iterator[tuple[str | None, Key, frozenset[str]]]:
    for data in listed:
        if not isinstance(data, dict) or not _for_signatures(data):
            continue
        try:
            key = import_key(data)
            served = _served(key, data.get("alg"))
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            continue  # a key of a kind, or with parameters, that this library does not know
        kid = data.get("kid")
        if served and (kid is None or isinstance(kid, str)):
            yield kid, key, served


def _for_signatures(data: Mapping[str, Any]) -> bool:
    """A public key; one that is published with its private part is anybody's."""
    operations = data.get("key_ops", ["verify"])
    return (
        data.get("kty") in ("RSA", "EC", "OKP")
        and "d" not in data
        and data.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
    )


def _served(key: Key, named: object) -> frozenset[str]:
    """The algorithms that a key may verify; ``named`` is its own ``alg``."""
    kinds: tuple[str, ...] = ()
    if isinstance(key, RSAKey) and key.public_key.key_size in _RSA_BITS:
        kinds = _RSA
    elif isinstance(key, ECKey) and key.curve_name in _EC:
        kinds = (_EC[key.curve_name],)
    elif isinstance(key, OKPKey) and key.curve_name == "Ed25519":
        kinds = ("Ed25519", "EdDSA")
    return frozenset(kind for kind in kinds if named in (None, kind))

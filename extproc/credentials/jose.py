"""Signatures of tokens (RFC 7515), by joserfc, which is imported only where tokens are verified."""

from collections.abc import Sequence

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.jws import CompactSignature

from extproc.credentials.bearer import LONGEST
from extproc.errors import Malformed


class _Registry(jws.JWSRegistry):
    max_header_length = LONGEST


class Verifier:
    """Of tokens that are signed by one of some algorithms."""

    def __init__(self, algorithms: Sequence[str]) -> None:
        self._registry = _Registry(algorithms=[*algorithms], strict_check_header=False)

    def read(self, token: bytes) -> CompactSignature:
        """A token in its three parts, of which nothing is true yet.  Raise Malformed."""
        try:
            return jws.extract_compact(token, registry=self._registry)
        except (JoseError, ValueError, RecursionError) as error:
            raise Malformed("no token") from error

    def verifies(self, signed: CompactSignature, key: Key) -> bool:
        """Whether the key's owner has signed it.  Raise Malformed."""
        try:
            return jws.validate_compact(signed, key, registry=self._registry)
        except (JoseError, ValueError) as error:
            raise Malformed("no signature of this key's kind") from error

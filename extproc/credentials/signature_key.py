"""Keys that signatures are checked with, by the algorithms of RFC 9421, section 3.3.

Rule: a key is of one algorithm, which the policy names; a signature never chooses.
"""

import hmac
from collections.abc import Callable
from typing import Annotated, Literal

from msgspec import Meta, Struct

Algorithm = Annotated[
    Literal["ed25519", "ecdsa-p256-sha256", "rsa-pss-sha512", "hmac-sha256"],
    Meta(description="ed25519, ecdsa-p256-sha256, rsa-pss-sha512 or hmac-sha256"),
]
Check = Callable[[bytes, bytes], bool]
"""Whether a signature is of a text."""


class VerifyingKey(Struct, frozen=True):
    """Whose signatures are checked with what."""

    tenant: str
    algorithm: Algorithm
    check: Check

    def verifies(self, signature: bytes, text: bytes) -> bool:
        return self.check(signature, text)


def checked_by(algorithm: Algorithm, material: bytes) -> Check | None:
    """``material`` is a public key in PEM, or the secret; None where it is of another algorithm."""
    if algorithm == "hmac-sha256":
        return lambda signature, text: hmac.compare_digest(
            hmac.digest(material, text, "sha256"), signature
        )
    from extproc.credentials.public_key import check_of  # noqa: PLC0415 - 7 MiB: as needed

    return check_of(algorithm, material)

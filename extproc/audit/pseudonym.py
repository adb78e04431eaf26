"""What stands for callers and inputs in an audit log: keyed digests.

Rule: whoever holds the key can find a known person's or text's records; nobody finds a person or
text from records; and when the key is destroyed, nobody finds anything any more (GDPR, article 4,
number 5).  Keys are derived by HMAC-SHA-256 (RFC 2104); digests are keyed BLAKE2b (RFC 7693), which
takes a fifth of the time, of 16 octets for inputs and 8 for principals.
"""

import hmac
from collections.abc import Sequence
from hashlib import blake2b, sha256
from typing import Final

_HASHED: Final = "key:"
_SHOWN: Final = len(_HASHED) + 16


class Pseudonyms:
    """Of one key; ``epoch`` is its name, which says nothing about it."""

    def __init__(self, secret: bytes) -> None:
        self._inputs = hmac.digest(secret, b"audit input", "sha256")
        self._principals = hmac.digest(secret, b"audit principal", "sha256")
        self.epoch = hmac.digest(secret, b"audit epoch", "sha256").hex()[:8]

    def principal(self, principal: str) -> str:
        """``<kind>:`` and 16 hexadecimal digits.

        An API key's are the first of its keyed hash, as the policy lists it; any other identity may
        be a person's, and is hashed here.
        """
        if principal.startswith(_HASHED):
            return principal[:_SHOWN]
        kind, _, rest = principal.partition(":")
        if not rest:
            return ""
        found = blake2b(principal.encode(), key=self._principals, digest_size=8)
        return f"{kind}:{found.hexdigest()}"

    def subject(self, subject: str, scopes: Sequence[str]) -> str:
        """Of a counter that tells these apart: a principal's own name where it is nothing else.

        What names nobody (a route, a model, digests of addresses and users) is left as it is.
        """
        if not subject or "principal" not in scopes:
            return subject
        if len(scopes) == 1:
            return self.principal(subject)
        return blake2b(subject.encode(), key=self._principals, digest_size=8).hexdigest()

    def suspect(self, subject: str, tenant: str, principal: str) -> str:
        """Of whom detection keeps a profile: a tenant's or a cohort's own name; else its tenant's,
        and who of it.
        """
        return f"{tenant}|{self.principal(principal)}" if "|" in subject else subject

    def input(self, digests: Sequence[bytes]) -> str:
        """32 hexadecimal digits, the same for all inputs that count as the same (canonical.py)."""
        if not digests:
            return ""
        whole = digests[0] if len(digests) == 1 else sha256(b"".join(digests)).digest()
        return blake2b(whole, key=self._inputs, digest_size=16).hexdigest()

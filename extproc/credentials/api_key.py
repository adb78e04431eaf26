"""API keys, as bearer token (RFC 6750, section 2.1) or in a header of their own.

Rules: a key is known by its keyed hash alone, which is what the policy and its key file list.  A
request whose headers name different keys, or something that is no key, has none: servers behind us
would choose among them in their own way.  A key that has expired or was revoked is as good as one
that never was.

No time tells anything about a key.  What is looked up is not what the caller sent but its HMAC
under a secret: to the caller 256 bits at random (RFC 2104), of which no two keys share any, however
alike they are.  The look-up is one step in a dict, of as many keys as there are; where it stops
comparing depends on those bits alone, so that the time of a million attempts is that of a million
independent draws.  Keys themselves are not there to be compared: only hashes are kept.
"""

import hmac
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from extproc.cause import Cause
from extproc.credentials.proof import Proof
from extproc.events import CheckedRequest, Headers

Header = Literal["authorization", "x-api-key", "api-key", "x-goog-api-key"]
HEADERS: Final[tuple[Header, ...]] = ("authorization", "x-api-key", "api-key", "x-goog-api-key")
"""What no model server is to see, whether keys are looked for there or not."""

_BEARER: Final = re.compile(r"bearer +", re.IGNORECASE | re.ASCII)
# Printable ASCII without the comma and the space, at which Envoy joins repeated headers.
_KEY: Final = re.compile(r"[!-+\--~]{1,512}")


class ApiKey(Struct, frozen=True, tag_field="kind", tag="api_key", forbid_unknown_fields=True):
    """Keys by their keyed hash: those that tenants list, and those of a file."""

    file: (
        Annotated[
            str,
            Meta(min_length=1, max_length=1024, description="a file that extproc keys new writes"),
        ]
        | None
    ) = None
    """A relative path starts at the policy file's folder."""
    max_keys: Annotated[int, Meta(ge=1, le=10_000_000)] = 1_000_000
    """Lines of the file; a key takes some 250 bytes of memory."""
    strength: Annotated[int, Meta(ge=1, le=10)] = 1
    headers: Annotated[tuple[Header, ...], Meta(min_length=1)] = HEADERS
    """Where keys are looked for.  Without ``authorization`` a bearer token may stand there that is
    another credential's."""


class IssuedKey(Struct, frozen=True, gc=False):
    """What a key file says of a key.  There may be a million: nothing in it refers to another."""

    id: str
    """Seen in the key itself, and in records."""
    tenant: str
    until: float
    """Seconds of wall time from which on it proves nothing; always, where it was revoked."""


_NOBODY: Final = IssuedKey("", "", -math.inf)

DIGEST: Final = 16
"""Octets of the keyed hash by which issued keys are looked up: to find another key for one of a
million takes 2**108 attempts (NIST SP 800-107, section 5.3.3)."""


class IssuedKeys(Mapping[bytes, IssuedKey]):
    """By the first octets of the keyed hash.

    A dict of a million entries takes a fifth of a second to grow, in which nothing else runs: here
    are as many small ones as an octet has values, each found by the first.
    """

    def __init__(self, keys: Mapping[bytes, IssuedKey] | None = None) -> None:
        self._parts: tuple[dict[bytes, IssuedKey], ...] = tuple({} for _ in range(256))
        for digest, key in (keys or {}).items():
            self.add(digest, key)

    def add(self, digest: bytes, key: IssuedKey) -> bool:
        """Whether there was none of this hash; else the first stays."""
        return self._parts[digest[0]].setdefault(digest, key) is key

    def forget(self) -> None:
        """All of them, part by part: at once it would take as long."""
        for part in self._parts:
            part.clear()

    def end(self, digest: bytes, until: float) -> bool:
        """Have a key prove nothing from then on; whether it did so until later."""
        key = self.find(digest)
        sooner = until < key.until
        if sooner:
            self._parts[digest[0]][digest] = IssuedKey(key.id, key.tenant, until)
        return sooner

    def __getitem__(self, digest: bytes) -> IssuedKey:
        return self._parts[digest[0]][digest]

    def find(self, digest: bytes) -> IssuedKey:
        """One that proves nothing, where there is none."""
        return self._parts[digest[0]].get(digest, _NOBODY)

    def __iter__(self) -> Iterator[bytes]:
        return chain.from_iterable(self._parts)

    def __len__(self) -> int:
        return sum(map(len, self._parts))


class ApiKeys:
    """The keys of a policy."""

    headers: tuple[str, ...] = HEADERS

    def __init__(
        self,
        settings: ApiKey,
        hmac_key: bytes,
        owners: Mapping[str, str],
        issued: IssuedKeys | None = None,
    ) -> None:
        """``owners`` is principal to tenant; none of them is ``issued`` too."""
        self._strength, self._hmac_key = settings.strength, hmac_key
        self._read = settings.headers
        self._owners, self._issued = owners, issued or IssuedKeys()

    def forget(self) -> None:
        """The issued keys, where nothing is proven by them any more."""
        self._issued.forget()

    def end(self, ends: Iterable[tuple[bytes, float]]) -> int:
        """Have issued keys prove nothing from a time on; how many did so until later."""
        return sum(self._issued.end(digest, until) for digest, until in ends)

    def prove(self, request: CheckedRequest, now: float) -> Proof | Cause:
        """See credentials.proof.Prover."""
        key = _key(request.headers, self._read)
        if isinstance(key, Cause):
            return key
        found = hmac.digest(self._hmac_key, key.encode("ascii"), "sha256")
        listed = f"key:{found.hex()}"
        if tenant := self._owners.get(listed):
            return Proof(listed, self._strength, tenant)
        issued = self._issued.get(found[:DIGEST], _NOBODY)
        if now < issued.until:
            return Proof(f"key:{issued.id}", self._strength, issued.tenant)
        return _over(issued)


def _over(issued: IssuedKey) -> Cause:
    if issued is _NOBODY:
        return Cause.KEY_UNKNOWN
    return Cause.KEY_EXPIRED if issued.until > -math.inf else Cause.KEY_REVOKED


def principal(headers: Headers, hmac_key: bytes) -> str | None:
    """``key:`` and the HMAC-SHA256 of the request's key in 64 hexadecimal digits, or None."""
    found = digest(headers, hmac_key)
    return f"key:{found.hex()}" if found is not None else None


def digest(headers: Headers, hmac_key: bytes) -> bytes | None:
    """The HMAC-SHA256 of the request's key, or None where it has none."""
    key = _key(headers, HEADERS)
    return None if isinstance(key, Cause) else hmac.digest(hmac_key, key.encode("ascii"), "sha256")


def _key(headers: Headers, names: Collection[str]) -> str | Cause:
    """The key that every one of these header fields agrees on."""
    found = {_token(name, headers[name]) for name in names if name in headers}
    if len(found) > 1:
        return Cause.KEY_AMBIGUOUS
    if not found:
        return Cause.CREDENTIAL_MISSING
    key = found.pop()
    return key if key is not None and _KEY.fullmatch(key) else Cause.KEY_MALFORMED


def _token(header: str, value: str) -> str | None:
    """What the header holds as key; None where ``authorization`` has another scheme."""
    if header != "authorization":
        return value
    scheme = _BEARER.match(value)
    return value[scheme.end() :] if scheme else None

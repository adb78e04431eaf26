"""API keys, as bearer token (RFC 6750, section 2.1) or in a header of their own.

Rules: a key is known by its keyed hash alone, which is what the policy lists and records show.  A
request whose headers name different keys, or something that is no key, has none: servers behind us
would choose among them in their own way.
"""

import hmac
import re
from collections.abc import Mapping
from typing import Annotated, Final

from msgspec import Meta, Struct

from extproc.credentials.proof import Proof
from extproc.events import CheckedRequest, Headers

HEADERS: Final = ("authorization", "x-api-key", "api-key", "x-goog-api-key")

_BEARER: Final = re.compile(r"bearer +", re.IGNORECASE | re.ASCII)
# Printable ASCII without the comma and the space, at which Envoy joins repeated headers.
_KEY: Final = re.compile(r"[!-+\--~]{1,512}")


class ApiKey(Struct, frozen=True, tag_field="kind", tag="api_key", forbid_unknown_fields=True):
    """Keys that the policy lists by their keyed hash."""

    strength: Annotated[int, Meta(ge=1, le=10)] = 1


class ApiKeys:
    """The keys of a policy."""

    headers = HEADERS

    def __init__(self, settings: ApiKey, hmac_key: bytes, owners: Mapping[str, str]) -> None:
        """``owners`` is principal to tenant."""
        self._strength, self._hmac_key, self._owners = settings.strength, hmac_key, owners

    def prove(self, request: CheckedRequest, now: float) -> Proof | None:
        """See credentials.proof.Prover.

        How long a look-up takes says nothing about any key: it is by a keyed hash.
        """
        found = principal(request.headers, self._hmac_key)
        tenant = self._owners.get(found, "") if found is not None else ""
        return Proof(found, self._strength, tenant) if found is not None and tenant else None


def principal(headers: Headers, hmac_key: bytes) -> str | None:
    """``key:`` and the HMAC-SHA256 of the request's key in 64 hexadecimal digits, or None."""
    key = _key(headers)
    if key is None:
        return None
    return f"key:{hmac.digest(hmac_key, key.encode('ascii'), 'sha256').hex()}"


def _key(headers: Headers) -> str | None:
    """The key that every credential header agrees on."""
    found = {_token(name, headers[name]) for name in HEADERS if name in headers}
    key = found.pop() if len(found) == 1 else None
    return key if key is not None and _KEY.fullmatch(key) else None


def _token(header: str, value: str) -> str | None:
    """What the header holds as key; None where ``authorization`` has another scheme."""
    if header != "authorization":
        return value
    scheme = _BEARER.match(value)
    return value[scheme.end() :] if scheme else None

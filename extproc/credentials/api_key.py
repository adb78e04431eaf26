"""API keys, as bearer token (RFC 6750, section 2.1) or in a header of their own.

Rules: a key is known by its keyed hash alone, which is what the policy lists and records show.  A
request whose headers name different keys, or something that is no key, has none: servers behind us
would choose among them in their own way.
"""

import hmac
import re
from typing import Final

from extproc.events import Headers

HEADERS: Final = ("authorization", "x-api-key", "api-key", "x-goog-api-key")

_BEARER: Final = re.compile(r"bearer +", re.IGNORECASE | re.ASCII)
# Printable ASCII without the comma and the space, at which Envoy joins repeated headers.
_KEY: Final = re.compile(r"[!-+\--~]{1,512}")


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

"""The token of an ``authorization`` header (RFC 6750, section 2.1).

Rule: one header with one token, of a bounded length and of the characters a token has; Envoy joins
repeated headers at a comma, which none of them is.
"""

import re
from typing import Final

from extproc.cause import Cause
from extproc.events import Headers

LONGEST: Final = 8192
"""Characters of a token: Envoy itself takes 60 KiB of headers, model clients send a tenth."""

_BEARER: Final = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE | re.ASCII)


def bearer(headers: Headers) -> str | Cause:
    """The token, or that there is none, or no single one."""
    value = headers.get("authorization", "")
    if not value:
        return Cause.CREDENTIAL_MISSING
    found = _BEARER.fullmatch(value) if len(value) <= LONGEST else None
    return found[1] if found else Cause.TOKEN_MALFORMED

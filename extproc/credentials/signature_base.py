"""The text that a signature is over: RFC 9421, section 2.5.

Rules: a component that the request has not, or that cannot be told in ASCII, leaves no text to
check.  Method, authority and path are as Envoy saw and normalised them; a field that came in
several lines is joined in Envoy's way, which no client signs, and so proves nothing.
"""

import re
from typing import Final

from extproc.credentials.signature_fields import Signed
from extproc.events import CheckedRequest

_VISIBLE: Final = re.compile(r"[\t -~]*", re.ASCII)
_PORTS: Final = {"http": ":80", "https": ":443"}
_ITSELF: Final = frozenset({"signature", "signature-input"})


def base(request: CheckedRequest, signed: Signed) -> bytes | None:
    """What must have been signed; None where the request lacks a component."""
    derived = _derived(request)
    lines = []
    for name in signed.components:
        value = derived.get(name) if name.startswith("@") else _field(request, name)
        if value is None or not _VISIBLE.fullmatch(value):
            return None
        lines.append(f'"{name}": {value}')
    lines.append(f'"@signature-params": {signed.parameters}')
    return "\n".join(lines).encode()


def _field(request: CheckedRequest, name: str) -> str | None:
    value = None if name in _ITSELF else request.headers.get(name)
    return None if value is None else value.strip(" \t")


def _derived(request: CheckedRequest) -> dict[str, str]:
    """What RFC 9421, section 2.2, derives from a request; no more of it is read than these."""
    scheme, authority = request.headers.get(":scheme", ""), _authority(request)
    path, mark, query = request.path.partition("?")
    return {
        "@method": request.method,
        "@scheme": scheme,
        "@authority": authority,
        "@path": path or "/",
        "@query": f"?{query}",
        "@target-uri": f"{scheme}://{authority}{path or '/'}{mark}{query}",
    }


def _authority(request: CheckedRequest) -> str:
    """Lower case and without the scheme's own port: RFC 9421, section 2.2.3."""
    authority = request.headers.get(":authority", "").lower()
    return authority.removesuffix(_PORTS.get(request.headers.get(":scheme", ""), "\n"))

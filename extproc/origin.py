"""Whence a request came and with what, as detection links callers by it.

Rules.  Keyed digests alone leave: an address is a person's.  A client is known by its JA4, where
Envoy ends TLS, which writes it into a field (ext_authz itself tells no more of TLS than the server
name); else by which header fields it sends and what it calls itself.  Envoy hands fields over in a
map, so that their order is not known; what differs from one request to the next, and what proxies
add, is left out.  Source: Althouse, "JA4+ Network Fingerprinting", 2023.
"""

import hmac
from dataclasses import dataclass
from typing import Final

from extproc.client_address import Proxies, client_address, network
from extproc.events import CheckedRequest

JA4: Final = "x-extproc-ja4"
"""Where Envoy writes the fingerprint of the TLS handshake, over whatever a client wrote; see
envoyconf/fingerprint.py.  All that is rendered here takes out what a client wrote; an Envoy that
does not lets clients choose what they are known by, which ``extproc envoy check`` says.
"""
_BLOCK: Final = (24, 48)
"""Lengths of the prefix of a block of addresses, in IPv4 and in IPv6."""
_SAID: Final = ("user-agent", "accept", "accept-language", "accept-encoding")
"""Fields whose values count."""
_LONGEST: Final = 256
"""Characters of a value that count."""
_MOST: Final = 64
"""Names of fields that do."""
_PASSING: Final = frozenset(
    {
        "content-length",
        "content-type",
        "cookie",
        "idempotency-key",
        "traceparent",
        "tracestate",
        "via",
    }
)
"""Fields that one client sends with some requests, or a proxy adds."""


@dataclass(frozen=True, slots=True)
class Origin:
    network: str = ""
    """A keyed digest of the block of addresses; empty where nobody knows or asks."""
    client: str = ""
    """A keyed digest of what its client looks like."""


NOWHERE: Final = Origin()


def origin(request: CheckedRequest, proxies: Proxies, key: bytes) -> Origin:
    """16 hexadecimal digits each; no network where Envoy told no address."""
    block = network(client_address(request, proxies), _BLOCK)
    told = request.headers.get(JA4, "")[:_LONGEST].strip("-")  # a dash: Envoy knows of none
    return Origin(
        _digest(key, f"block {block}") if block else "",
        _digest(key, f"ja4 {told}" if told else f"fields {_looks(request)}"),
    )


def _looks(request: CheckedRequest) -> str:
    names = sorted(
        name
        for name in request.headers
        if not name.startswith((":", "x-")) and name not in _PASSING
    )
    said = [request.headers.get(name, "")[:_LONGEST] for name in _SAID]
    return "\n".join([*said, *names[:_MOST]])


def _digest(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(errors="replace"), "sha256").hex()[:16]

"""Who the other end of the connection is, by the certificate that Envoy verified (mutual TLS).

Rules: the connection alone says so, by the URI SAN of its certificate (a SPIFFE ID, for one) or by
the certificate's digest; the header ``x-forwarded-client-cert``, which anyone can write, has no say
and is taken out.  Envoy names a DNS SAN or the subject where there is no URI: these name nobody
here.  A certificate that is two tenants' is nobody's.
"""

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Final
from urllib.parse import unquote

from msgspec import Meta, Struct

from extproc.cause import Cause
from extproc.credentials.proof import Proof
from extproc.events import CheckedRequest, Peer

HEADERS: Final = ("x-forwarded-client-cert",)

UriPattern = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9+.-]*://[!-)+-~]{1,2000}(/\*)?\Z",
        description="a URI such as spiffe://acme/worker, or one that ends in /* for all below it",
    ),
]
Digest = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{64}\Z",
        description="the SHA-256 of a certificate in 64 hexadecimal digits, lower case",
    ),
]

_URI: Final = re.compile(r"[a-z][a-z0-9+.-]*://[!-~]{1,2040}", re.ASCII)
_LONGEST: Final = 32 << 10
_PEM: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)\n-----END CERTIFICATE-----\n?", re.ASCII
)


class Mtls(Struct, frozen=True, tag_field="kind", tag="mtls", forbid_unknown_fields=True):
    """Certificates of clients, by their URI SAN or their digest; see also tenants' principals."""

    uris: dict[UriPattern, str] = {}
    """Whose a URI is: the longest that fits counts."""
    digests: dict[Digest, str] = {}
    """Whose a certificate is."""
    strength: Annotated[int, Meta(ge=1, le=10)] = 3


class Certificates:
    """The certificates that a policy knows."""

    headers = HEADERS

    def __init__(self, settings: Mtls, owners: Mapping[str, str]) -> None:
        """``owners`` is principal to tenant."""
        self._settings, self._owners = settings, owners

    def prove(self, request: CheckedRequest, now: float) -> Proof | Cause:
        """See credentials.proof.Prover."""
        known = {
            principal: tenant
            for principal, tenant in (self._by_uri(request.peer), self._by_digest(request.peer))
            if tenant
        }
        if not request.peer.uri and not request.peer.certificate:
            return Cause.CREDENTIAL_MISSING
        if not known:
            return Cause.CERTIFICATE_UNKNOWN
        if len(set(known.values())) > 1:
            return Cause.CERTIFICATE_AMBIGUOUS
        principal, tenant = next(iter(known.items()))
        return Proof(principal, self._settings.strength, tenant)

    def _by_uri(self, peer: Peer) -> tuple[str, str]:
        """Principal and tenant; empty where the policy knows none."""
        if not _URI.fullmatch(peer.uri):
            return "", ""
        principal = f"mtls:{peer.uri}"
        return principal, self._owners.get(principal) or self._of_uri(peer.uri)

    def _of_uri(self, uri: str) -> str:
        uris = self._settings.uris
        if uri in uris:
            return uris[uri]
        above, _, _ = uri.rpartition("/")
        while "://" in above:
            if (tenant := uris.get(f"{above}/*")) is not None:
                return tenant
            above, _, _ = above.rpartition("/")
        return ""

    def _by_digest(self, peer: Peer) -> tuple[str, str]:
        digest = fingerprint(peer.certificate)
        if not digest:
            return "", ""
        principal = f"mtls:sha256:{digest}"
        return principal, self._owners.get(principal) or self._settings.digests.get(digest, "")


@lru_cache(maxsize=1024)
def fingerprint(certificate: str) -> str:
    """The SHA-256 of a certificate, which Envoy gives as PEM in URL encoding; "" if it is none."""
    found = _PEM.fullmatch(unquote(certificate)) if len(certificate) <= _LONGEST else None
    if found is None:
        return ""
    try:
        return sha256(b64decode(found[1])).hexdigest()
    except Error:  # its length is none that base64 has
        return ""

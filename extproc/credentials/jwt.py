"""JSON Web Tokens, verified here (RFC 7519; as access tokens RFC 9068; best practice RFC 8725).

Rules: the policy says which algorithms an issuer signs with, all of them asymmetric; the key is
the one that the token names, and serves that algorithm.  Keys are never fetched while a request
waits: where a token names an unknown one, it is refused and the fetching is told.
"""

import base64
from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct

from extproc.cause import Cause
from extproc.credentials.bearer import bearer
from extproc.credentials.claims import URL, Audience, Proven, TokenSettings, Trust
from extproc.credentials.keyring import Keyring, KeySet
from extproc.credentials.proof import Proof
from extproc.credentials.remembered import Remembered
from extproc.errors import Malformed
from extproc.events import CheckedRequest
from extproc.units import Duration

if TYPE_CHECKING:
    from extproc.credentials.jose import Verifier

Algorithm = Literal[
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "Ed25519",
    "EdDSA",
]
"""Never HS*: whoever can check such a token can make it.  EdDSA is Ed25519 alone."""

_TYPES: Final = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})


class Jwt(TokenSettings, frozen=True, tag_field="kind", tag="jwt"):
    """Tokens of an issuer whose public keys we have."""

    audience: Audience | Annotated[tuple[Audience, ...], Meta(min_length=1)]
    """One of these must be named by the token: those for others are not for us."""
    jwks: Annotated[
        str,
        Meta(
            pattern=rf"^(file:.+|{URL})\Z",
            description="file:PATH, or an https URL (http to this machine alone)",
        ),
    ]
    """The issuer's public keys."""
    algorithms: Annotated[tuple[Algorithm, ...], Meta(min_length=1)]
    """What the issuer signs with; anything else is refused."""
    refresh: Duration = "5m"
    """How often the keys are fetched again."""
    stale: Duration = "1d"
    """How long the last keys are trusted when they cannot be fetched again; then no token is."""
    remembered: Annotated[int, Meta(ge=0, le=1_000_000)] = 10_000
    """Verified tokens that are not verified again, each until it expires; of some 1 KB each."""


class _Header(Struct):
    """What we read of a token's header (RFC 7515, section 4.1)."""

    alg: str
    kid: str | None = None
    typ: str = "JWT"
    crit: Any = UNSET
    b64: Any = UNSET


class Jwts:
    """The tokens of one issuer."""

    headers = ("authorization",)

    def __init__(
        self, settings: Jwt, key: bytes, tenants: Collection[str], source: str = ""
    ) -> None:
        """``key`` is what tokens are hashed under, ``source`` the whole path or URL of the keys;
        the keyring is empty until somebody fills it.
        """
        self.settings, self.source = settings, source or settings.jwks
        self.keyring = Keyring()
        self._trust = Trust(settings, tenants)
        self._verified: Remembered[Proof] = Remembered(key, settings.remembered)
        self._verified_by: KeySet | None = None
        self._verifier = _verifier(settings.algorithms)

    def prove(self, request: CheckedRequest, now: float) -> Proof | Cause:
        """See credentials.proof.Prover."""
        token, keys = bearer(request.headers), self.keyring.keys(now)
        if isinstance(token, Cause):
            return token
        if keys is None:
            return Cause.TOKEN_KEYS_MISSING
        if keys is not self._verified_by:  # a key may have been withdrawn
            self._verified.clear()
            self._verified_by = keys
        digest = self._verified.digest(token)
        if known := self._verified.get(digest, now):
            return known[0]
        proven = self._verify(token.encode("ascii"), keys, now)
        if isinstance(proven, Cause):
            return proven
        self._verified.put(digest, proven.proof, proven.until)
        return proven.proof

    def _verify(self, token: bytes, keys: KeySet, now: float) -> Proven | Cause:
        header = _header(token.partition(b".")[0])
        if header is None:
            return Cause.TOKEN_MALFORMED
        if header.alg not in self.settings.algorithms:
            return Cause.TOKEN_ALGORITHM
        try:
            signed = self._verifier.read(token)
            claims = msgspec.json.decode(signed.payload)
            # Tokens of other issuers must not have us ask ours for new keys.
            if not isinstance(claims, dict) or claims.get("iss") != self._trust.issuer:
                return Cause.TOKEN_ISSUER
            key = keys.get((header.kid, header.alg))
            if key is None:
                self.keyring.missed()
                return Cause.TOKEN_KEY_UNKNOWN
            if not self._verifier.verifies(signed, key):
                return Cause.TOKEN_SIGNATURE
        except (Malformed, msgspec.MsgspecError, ValueError, RecursionError):
            return Cause.TOKEN_MALFORMED  # whatever it is, it is no token
        return self._trust.proven(claims, now)


def _verifier(algorithms: tuple[Algorithm, ...]) -> "Verifier":
    """What it imports is of some MiB, and of use to none but policies with tokens."""
    from extproc.credentials.jose import Verifier  # noqa: PLC0415 - as above

    return Verifier(algorithms)


def _header(segment: bytes) -> _Header | None:
    """A header that asks for nothing we do not do."""
    try:
        header = _HEADER.decode(base64.urlsafe_b64decode(segment + b"=="))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    special = header.crit is not UNSET or header.b64 is not UNSET
    return None if special or header.typ.lower() not in _TYPES else header


_HEADER: Final = msgspec.json.Decoder(_Header)

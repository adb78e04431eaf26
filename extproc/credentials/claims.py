"""What the claims of an issuer prove (RFC 7519, section 4.1; RFC 7662, section 2.2; RFC 9068).

Rules: issuer, subject and audience are as the policy says, and now lies between the claims' times.
Whatever has another type than it should is no claim of ours, and then the token proves nothing.  A
token that is bound to a key of its owner (``cnf``, RFC 7800) is none for whoever merely bears it.
"""

import re
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from extproc.cause import Cause
from extproc.credentials.proof import Proof
from extproc.units import Duration, seconds

URL: Final = r"https://[^@\s]+|http://(127\.0\.0\.1|\[::1\]|localhost)(:[0-9]+)?(/[^@\s]*)?"
"""Pattern of where an issuer is asked: whoever could answer in its place could make its tokens."""

Issuer = Annotated[
    str,
    Meta(
        pattern=r"^[!-{}~]{1,512}\Z",
        description="the issuer as its tokens name it, such as https://login.example.com",
    ),
]
Claim = Annotated[
    str,
    Meta(pattern=r"^[!-~]{0,128}\Z", description="the name of a claim of at most 128 characters"),
]
Acr = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9:/._~+-]{1,128}\Z",
        description="a value of the claim acr, such as urn:mace:incommon:iap:silver",
    ),
]
Audience = Annotated[str, Meta(min_length=1, max_length=512)]
Strength = Annotated[int, Meta(ge=1, le=10)]

_SUBJECT: Final = re.compile(r"[ -~]{1,255}")  # OpenID Connect Core, section 2: 255 ASCII
_LATEST: Final = 1e12
"""Seconds since 1970: no date means more."""
_LONGEST_ACR: Final = 256
"""Characters of a class of authentication; a longer one is none that anybody asks for."""
_MOST: Final = 256
"""Scopes or audiences of one token."""


class TokenSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all credentials say whose issuer makes tokens."""

    issuer: Issuer
    audience: Audience | tuple[Audience, ...] = ()
    """One of these must be named by the token."""
    tenant: Claim = ""
    """The claim that names the tenant; without it the policy lists ``jwt:ISSUER|SUBJECT``."""
    scopes: Claim = "scope"
    """The claim with the scopes, as text with spaces or as a list."""
    strength: Strength = 1
    acr: dict[Acr, Strength] = {}
    """Strength of tokens whose claim ``acr`` is this: how their owner was authenticated."""
    skew: Duration = "60s"
    """How much the issuer's clock may differ from ours."""

    @property
    def audiences(self) -> tuple[str, ...]:
        return (self.audience,) if isinstance(self.audience, str) else self.audience


class Proven(Struct, frozen=True):
    proof: Proof
    until: float
    """When the claims expire, skew included, in seconds of wall time; infinite where never."""


class Trust:
    """One issuer, and what its claims prove here."""

    def __init__(self, settings: TokenSettings, tenants: Collection[str]) -> None:
        """``tenants`` are those the policy has: a claim of another one proves nothing."""
        self.issuer = settings.issuer
        self._settings = settings
        self._audiences = frozenset(settings.audiences)
        self._tenants = frozenset(tenants)
        self._skew = seconds(settings.skew)

    def proven(self, claims: object, now: float, *, expiring: bool = True) -> Proven | Cause:
        """What the claims prove at ``now``, or why that is nothing.  Where not ``expiring``, they
        need no ``exp``.
        """
        if not isinstance(claims, dict):
            return Cause.TOKEN_CLAIMS
        if "cnf" in claims:
            return Cause.TOKEN_BOUND
        until = self._until(claims, now, expiring=expiring)
        if isinstance(until, Cause):
            return until
        if claims.get("iss") != self.issuer:
            return Cause.TOKEN_ISSUER
        if not self._for_us(claims):
            return Cause.TOKEN_AUDIENCE
        proof = self._proof(claims)
        return proof if isinstance(proof, Cause) else Proven(proof, until)

    def _until(self, claims: Mapping[str, Any], now: float, *, expiring: bool) -> float | Cause:
        """When the claims expire, or that they have, or are of a time to come."""
        dates = {name: _date(claims[name]) for name in ("nbf", "iat", "exp") if name in claims}
        expiry = dates.pop("exp", float("inf"))
        if expiry is None or None in dates.values() or (expiring and "exp" not in claims):
            return Cause.TOKEN_CLAIMS
        if any(begin > now + self._skew for begin in dates.values() if begin is not None):
            return Cause.TOKEN_EARLY
        return expiry + self._skew if now < expiry + self._skew else Cause.TOKEN_EXPIRED

    def _for_us(self, claims: Mapping[str, Any]) -> bool:
        named = _texts(claims.get("aud"))
        return not self._audiences or not self._audiences.isdisjoint(named)

    def _proof(self, claims: Mapping[str, Any]) -> Proof | Cause:
        subject = claims.get("sub")
        if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
            return Cause.TOKEN_CLAIMS
        tenant = claims.get(self._settings.tenant) if self._settings.tenant else ""
        if not isinstance(tenant, str) or (self._settings.tenant and tenant not in self._tenants):
            return Cause.TOKEN_TENANT
        acr = claims.get("acr")
        return Proof(
            f"jwt:{self.issuer}|{subject}",
            self._strength(acr),
            tenant,
            _scopes(claims.get(self._settings.scopes)),
            acr=acr if isinstance(acr, str) and len(acr) <= _LONGEST_ACR else "",
        )

    def _strength(self, acr: object) -> int:
        known = self._settings.acr.get(acr) if isinstance(acr, str) else None
        return self._settings.strength if known is None else known


def _date(value: object) -> float | None:
    """Seconds since 1970, where the value is a number of them."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= _LATEST else None


def _texts(value: object) -> frozenset[str]:
    """A text, or a list of them, as a set; empty where it is anything else."""
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or len(values) > _MOST:
        return frozenset()
    return frozenset(each for each in values if isinstance(each, str))


def _scopes(value: object) -> frozenset[str]:
    """RFC 6749, section 3.3: words with spaces between them; some issuers send a list instead."""
    words = value.split(" ", _MOST) if isinstance(value, str) else value
    return _texts(words) - {""}

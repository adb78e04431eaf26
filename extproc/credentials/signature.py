"""Signed requests: HTTP message signatures (RFC 9421) over the request and the digest of its body.

Rules: a signature counts once and soon, and only where it covers all that decides what is asked:
the method, authority, path and query, the digest of the body (RFC 9530), and every header field
that an API or another credential is read from.  What is not covered must not be there: without a
digest the body must be empty.
"""

from collections.abc import Collection, Mapping
from hashlib import sha256
from typing import Annotated, Final

from msgspec import Meta, Struct

from extproc.cause import Cause
from extproc.content_digest import EMPTY, digests
from extproc.credentials.proof import Once, Proof
from extproc.credentials.signature_base import base
from extproc.credentials.signature_fields import Signed, read
from extproc.credentials.signature_key import Algorithm, VerifyingKey
from extproc.events import CheckedRequest
from extproc.units import Duration, SecretReference, seconds

DIGEST: Final = "content-digest"
HEADERS: Final = ("signature", "signature-input", DIGEST)

KeyId = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9._:@/+=-]{1,128}\Z",
        description="a key id: at most 128 letters, digits and '._:@/+=-'",
    ),
]
Component = Annotated[
    str,
    Meta(
        pattern=r"^(@(method|authority|scheme|target-uri|path|query)|[a-z0-9][a-z0-9-]{0,63})\Z",
        description="a header field in lower case, or @method, @authority, @scheme, @target-uri, "
        "@path or @query",
    ),
]

# RFC 9110, section 9.3: what is asked with these has no content that means anything.
_BODILESS: Final = frozenset({"GET", "HEAD"})


class SigningKey(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose signatures are checked with what; one of ``public_key`` and ``secret``."""

    tenant: str
    algorithm: Algorithm
    public_key: SecretReference | None = None
    """In PEM (SubjectPublicKeyInfo)."""
    secret: SecretReference | None = None
    """For hmac-sha256; at least 32 bytes."""


class Signature(Struct, frozen=True, tag_field="kind", tag="signature", forbid_unknown_fields=True):
    """Requests signed by keys that the policy lists by their key id."""

    keys: Annotated[dict[KeyId, SigningKey], Meta(min_length=1)]
    components: tuple[Component, ...] = ()
    """What must be covered beside what always must."""
    max_age: Duration = "60s"
    """How long after ``created`` a signature counts, and so how long its nonce is kept."""
    skew: Duration = "5s"
    """How far the clocks of clients may be off."""
    strength: Annotated[int, Meta(ge=1, le=10)] = 3


class Signatures:
    """The signing keys of a policy."""

    headers = HEADERS

    def __init__(
        self, settings: Signature, keys: Mapping[str, VerifyingKey], deciding: Collection[str]
    ) -> None:
        """``deciding`` are the header fields that must be covered wherever a request has them."""
        self._strength, self._required = settings.strength, frozenset(settings.components)
        self._max_age, self._skew = seconds(settings.max_age), seconds(settings.skew)
        self._keys, self._deciding = keys, frozenset(deciding)

    def prove(self, request: CheckedRequest, now: float) -> Proof | Cause:
        """See credentials.proof.Prover."""
        fields = request.headers
        if "signature" not in fields and "signature-input" not in fields:
            return Cause.CREDENTIAL_MISSING
        signed = read(fields.get("signature-input", ""), fields.get("signature", ""))
        if signed is None:
            return Cause.SIGNATURE_MALFORMED
        key = self._keys.get(signed.key)
        if key is None:
            return Cause.SIGNATURE_KEY_UNKNOWN
        digest = fields.get(DIGEST, "") if DIGEST in signed.components else EMPTY
        wrong = self._wrong(request, signed, key, digest, now)
        if wrong is not None:
            return wrong
        name = f"sig:{signed.key}"
        once = self._once(name, signed)
        return Proof(name, self._strength, key.tenant, digest=digest, once=once)

    def _wrong(
        self, request: CheckedRequest, signed: Signed, key: VerifyingKey, digest: str, now: float
    ) -> Cause | None:
        """Why it proves nothing; the dear step, the signature itself, comes last."""
        if signed.algorithm not in {"", key.algorithm}:
            return Cause.SIGNATURE_ALGORITHM
        if now < signed.created - self._skew:
            return Cause.SIGNATURE_EARLY
        if now > self._until(signed):
            return Cause.SIGNATURE_EXPIRED
        if not self._covers(request, signed):
            return Cause.SIGNATURE_UNCOVERED
        if not digests(digest):
            return Cause.SIGNATURE_DIGEST
        text = base(request, signed)
        verified = text is not None and key.verifies(signed.signature, text)
        return None if verified else Cause.SIGNATURE_WRONG

    def _until(self, signed: Signed) -> float:
        """The last instant at which it counts."""
        last = signed.created + self._max_age
        return self._skew + (last if signed.expires is None else min(last, signed.expires))

    def _covers(self, request: CheckedRequest, signed: Signed) -> bool:
        covered = set(signed.components)
        if "@target-uri" in covered:
            covered |= {"@authority", "@path", "@query"}
        required = {"@method", "@authority", "@path", *self._required}
        if "?" in request.path:
            required.add("@query")
        if request.method not in _BODILESS:
            required.add(DIGEST)
        present = {name for name in self._deciding if name in request.headers}
        return covered >= required | present

    def _once(self, principal: str, signed: Signed) -> Once:
        name = sha256(f"{principal}|{signed.nonce}".encode()).hexdigest()
        return Once(name, signed.created - self._skew, self._until(signed))

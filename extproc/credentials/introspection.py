"""Opaque tokens, which their issuer is asked about (OAuth 2.0 Token Introspection, RFC 7662).

Rules: what was answered is kept for a while, also that a token is none; what must be asked is asked
by server/introspector.py.  Only what can be a token is asked about.
"""

import re
from collections.abc import Collection, Mapping
from typing import Annotated, Final

from msgspec import Meta

from extproc.cause import Cause
from extproc.credentials.bearer import bearer
from extproc.credentials.claims import URL, Proven, TokenSettings, Trust
from extproc.credentials.proof import Needed, Proof
from extproc.credentials.remembered import Remembered
from extproc.events import CheckedRequest
from extproc.units import Duration, SecretReference, seconds

_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]{16,4096}=*")
"""RFC 6750, section 2.1; shorter ones could be guessed."""
_SPREAD: Final = 0.2
"""Answers are kept for up to this part less than told: they do not all expire at once."""


class Introspection(TokenSettings, frozen=True, tag_field="kind", tag="introspection"):
    """Tokens that their issuer knows, and we do not."""

    url: Annotated[
        str,
        Meta(
            pattern=rf"^({URL})\Z",
            description="the issuer's introspection endpoint, an https URL (http to this machine)",
        ),
    ]
    client_id: Annotated[str, Meta(min_length=1, max_length=256)]
    client_secret: SecretReference
    """By which the issuer knows us."""
    cache: Duration = "60s"
    """How long a valid token is not asked about again, at most until it expires; a token that the
    issuer revokes is taken for that long."""
    negative: Duration = "10s"
    """The same of a token that is not valid."""
    max: Annotated[int, Meta(ge=1, le=1_000_000)] = 10_000
    """Answers that are kept; of some 1 KB each."""
    timeout: Duration = "2s"
    """How long a request waits for its turn, and then for an answer; then it is refused with 503.
    """
    concurrency: Annotated[int, Meta(ge=1, le=1000)] = 16
    """Questions at one time."""
    waiting: Annotated[int, Meta(ge=0, le=100_000)] = 256
    """Questions that wait for their turn; more are refused with 503."""


class Introspections:
    """The tokens of one issuer."""

    headers = ("authorization",)

    def __init__(
        self,
        name: str,
        settings: Introspection,
        secret: str,
        key: bytes,
        tenants: Collection[str],
    ) -> None:
        """``key`` is what tokens are hashed under."""
        self.settings, self.secret = settings, secret
        self._name, self._key = name, key
        self._tenants = frozenset(tenants)
        self._trust = Trust(settings, tenants)
        self._answers: Remembered[Proof | Cause] = Remembered(key, settings.max)

    def prove(self, request: CheckedRequest, now: float) -> Proof | Needed | Cause:
        """See credentials.proof.Prover."""
        token = bearer(request.headers)
        if isinstance(token, Cause):
            return token
        if not _TOKEN.fullmatch(token):
            return Cause.TOKEN_MALFORMED
        known = self._answers.get(self._answers.digest(token), now)
        if known is None:
            return Needed(self._name, token)
        proof = known[0]
        # Another policy may have learned it, see follow, and have had other tenants.
        named = isinstance(proof, Proof) and proof.tenant
        return Cause.TOKEN_TENANT if named and named not in self._tenants else proof

    def follow(self, before: "Introspections") -> None:
        """Share what is known with the credential of the policy before, where it is the same one:
        the issuer is not asked about every token again because a key was added somewhere.
        """
        same = (before.settings, before.secret, before._key) == (  # noqa: SLF001 - one of us
            self.settings,
            self.secret,
            self._key,
        )
        if same:
            self._answers = before._answers  # noqa: SLF001 - one of us

    def learn(self, token: str, answer: object, now: float) -> None:
        """Keep what the issuer answered about a token: JSON, decoded."""
        digest = self._answers.digest(token)
        kept = 1 - _SPREAD * digest[0] / 255
        proven = self._proven(answer, now)
        if isinstance(proven, Cause):
            self._answers.put(digest, proven, now + seconds(self.settings.negative) * kept)
        else:
            until = min(proven.until, now + seconds(self.settings.cache) * kept)
            self._answers.put(digest, proven.proof, until)

    def _proven(self, answer: object, now: float) -> Proven | Cause:
        if not isinstance(answer, dict) or answer.get("active") is not True:
            return Cause.TOKEN_INACTIVE
        if not _borne(answer):
            return Cause.TOKEN_BOUND
        return self._trust.proven({"iss": self._trust.issuer, **answer}, now, expiring=False)

    def digest(self, token: str) -> bytes:
        """What a token is known by."""
        return self._answers.digest(token)


def _borne(answer: Mapping[str, object]) -> bool:
    """A token that whoever has it may use (RFC 6750), where the issuer says what it is."""
    kind = answer.get("token_type")
    return kind is None or (isinstance(kind, str) and kind.lower() in {"bearer", "access_token"})

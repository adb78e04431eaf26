"""What a credential proves, and how it says so."""

from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from extproc.cause import Cause
from extproc.events import CheckedRequest


class Once(Struct, frozen=True):
    """What may be shown a single time: the nonce of a signed request."""

    key: str
    """Unique over credentials and principals; of bounded length, and holds no secret."""
    since: float
    """Seconds of wall time before which nobody can have shown it."""
    until: float
    """Seconds of wall time after which showing it again proves nothing anyway."""


class Replays(Protocol):
    """What a store promises of what may be shown once; tests/stores/replays.py is the proof."""

    async def first(self, once: Once, *, now: float) -> bool:
        """Whether it is shown for the first time; ``now`` is in seconds of wall time.

        Atomic: of any number of concurrent calls one is told so.
        Raise StoreUnavailable where that cannot be said.
        """
        ...


class Proof(Struct, frozen=True):
    """One proven identity."""

    principal: str
    """``key:<hash>``, ``jwt:<issuer>|<subject>``, ``mtls:<uri>``, ``sig:<key id>``."""
    strength: int
    """Of the credential, as the policy ranks it."""
    tenant: str = ""
    """Where the credential says whose it is; else the policy lists its principal."""
    scopes: frozenset[str] = frozenset()
    """What its issuer lets it ask for."""
    digest: str = ""
    """The ``content-digest`` (RFC 9530) that the body must have, where that was signed."""
    once: Once | None = None
    """What must not have been shown before."""
    acr: str = ""
    """How its owner was authenticated, as its issuer says (OpenID Connect Core, section 2)."""


@dataclass(frozen=True, slots=True, repr=False)
class Needed:
    """Nobody here can say: the credential's issuer must be asked, see server/authz.py."""

    credential: str
    """Its name in the policy."""
    token: str
    """What to ask about: a secret."""


class Prover(Protocol):
    """A credential that the policy names, with what it is checked against."""

    @property
    def headers(self) -> tuple[str, ...]:
        """The header fields it reads, which the model server has no use for."""
        ...

    def prove(self, request: CheckedRequest, now: float) -> Proof | Needed | Cause:
        """What this request proves at ``now``, in seconds of wall time, or why that is nothing.

        Whatever stands in the request, nothing is raised.
        """
        ...

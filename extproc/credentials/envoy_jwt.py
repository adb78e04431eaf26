"""Tokens that Envoy itself has verified: dynamic metadata of its filter jwt_authn.

Rule: no header of a request can write dynamic metadata, so that what stands there is Envoy's own;
it is believed where the policy names this credential, and its claims are checked as any other's.
Source: Envoy, ``payload_in_metadata`` in envoy/extensions/filters/http/jwt_authn/v3/config.proto.
"""

from collections.abc import Collection
from typing import Annotated, Final

from msgspec import Meta

from extproc.cause import Cause
from extproc.credentials.claims import TokenSettings, Trust
from extproc.credentials.proof import Proof
from extproc.events import CheckedRequest

NAMESPACE: Final = "envoy.filters.http.jwt_authn"
"""Of the filter's dynamic metadata, whatever the filter is called."""


class EnvoyJwt(TokenSettings, frozen=True, tag_field="kind", tag="envoy_jwt"):
    """Tokens that Envoy's filter jwt_authn has verified, before it asks us."""

    payload: Annotated[str, Meta(min_length=1, max_length=128)] = "jwt_payload"
    """What the filter's ``payload_in_metadata`` says."""


class EnvoyJwts:
    """What Envoy says of one issuer's tokens."""

    headers = ("authorization",)

    def __init__(self, settings: EnvoyJwt, tenants: Collection[str]) -> None:
        self._payload = settings.payload
        self._trust = Trust(settings, tenants)

    def prove(self, request: CheckedRequest, now: float) -> Proof | Cause:
        """See credentials.proof.Prover."""
        claims = request.metadata.get(NAMESPACE, {}).get(self._payload)
        if claims is None:
            return Cause.CREDENTIAL_MISSING
        proven = self._trust.proven(claims, now)
        return proven if isinstance(proven, Cause) else proven.proof

"""The state machine that an admitted request begins.

Rule: who decides what a request may become decides it here alone, for Envoy and for a rehearsal.
"""

from collections.abc import Mapping

from extproc.exchange import Exchange
from extproc.policy import Policy
from extproc.shadow import ShadowExchange
from extproc.signed_exchange import SignedExchange


def begin(
    policy: Policy, parameters: Mapping[str, str], digest: str = ""
) -> Exchange | ShadowExchange:
    """``digest`` is what the request's body must have, where its sender signed it."""
    if policy.shadow:
        return ShadowExchange(Exchange(policy, parameters), digest)
    return SignedExchange(policy, parameters, digest) if digest else Exchange(policy, parameters)

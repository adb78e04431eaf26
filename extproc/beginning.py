"""The state machine that an admitted request begins.

Rule: who decides what a request may become decides it here alone, for Envoy and for a rehearsal.
"""

from collections.abc import Mapping

from extproc.exchange import Exchange
from extproc.policy import Policy
from extproc.reservation import NOBODY, Asker, Reservation
from extproc.reserved_exchange import ReservedExchange
from extproc.shadow import ShadowExchange
from extproc.signed_exchange import SignedExchange
from extproc.treatment import met


def begin(
    policy: Policy,
    parameters: Mapping[str, str],
    digest: str = "",
    asker: Asker = NOBODY,
    *,
    identity_on_trial: bool = False,
) -> Exchange | ShadowExchange:
    """``digest`` is what the request's body must have, where its sender signed it."""
    reservation = Reservation(asker)
    if digest and not policy.shadow:
        return SignedExchange(policy, parameters, digest, reservation)
    exchange = (
        ReservedExchange(policy, parameters, reservation)
        if policy.reserved
        or (asker.levels and policy.families)
        or met(policy, asker.case, asker.arrival)
        else Exchange(policy, parameters)
    )
    if policy.shadow:
        return ShadowExchange(exchange, digest, identity=identity_on_trial)
    return exchange

"""Observations: of an exchange that is over, and of a request that was denied.

Rule: only of callers who are known; a stranger who names somebody else's tenant adds nothing to it.
"""

from collections.abc import Callable
from typing import Final

from extproc.admission import Denied
from extproc.cause import Cause
from extproc.detectors.excerpt import Sample
from extproc.detectors.features import Outcome
from extproc.detectors.observation import Observation
from extproc.dialects.noticed import Noticed
from extproc.exchange import Exchange
from extproc.origin import Origin
from extproc.refusal import RATE_LIMITED, UNAVAILABLE, UPSTREAM_UNREADABLE
from extproc.server.protobuf import Handover
from extproc.shadow import ShadowExchange

_MODEL: Final = 64
"""Characters of a model's name."""
_OUTCOMES: Final[dict[str, Outcome]] = {
    **dict.fromkeys(("served", "cut", "unfinished"), "served"),
    **dict.fromkeys(
        (
            RATE_LIMITED.code,
            Cause.CHALLENGED,
            Cause.SOLUTION_MALFORMED,
            Cause.SOLUTION_FOREIGN,
            Cause.SOLUTION_EXPIRED,
            Cause.SOLUTION_WRONG,
            Cause.SOLUTION_SPENT,
            Cause.SOLUTION_CHEAP,
            Cause.TENANT_STOPPED,
        ),
        "limited",
    ),
    **dict.fromkeys(
        (
            UNAVAILABLE.code,
            UPSTREAM_UNREADABLE.code,
            "upstream_error",
            Cause.OVERLOADED,
            Cause.AUDIT_UNAVAILABLE,
            Cause.STORE_UNAVAILABLE,
            Cause.ISSUER_UNAVAILABLE,
            Cause.UPSTREAM_ERROR,
            Cause.SUSPECTED,  # else who tries again while it is blocked would never be let go
        ),
        "failed",
    ),
}
"""One whose client went away counts as served: it may have read all that it wanted."""

_UNNOTICED: Final = Noticed(b"")


def ended(machine: Exchange | ShadowExchange, handover: Handover) -> tuple[Observation, Sample]:
    """Of an exchange, with the sample of its inputs."""
    exchange = machine.inner if isinstance(machine, ShadowExchange) else machine
    query, sample = exchange.query, exchange.sample
    whole = len(exchange.digests) == len(sample.inputs)
    noticed = exchange.told.noticed or _UNNOTICED
    return Observation(
        time=handover.arrival,
        tenant=handover.tenant,
        principal=handover.principal,
        route=handover.route,
        model=query.model[:_MODEL] if query is not None else "",
        outcome=outcome(exchange.outcome),
        queries=query.inputs if query is not None else 0,
        inputs=sample.inputs,
        digests=exchange.digests if whole else (),
        labels=noticed.labels,
        margins=noticed.margins,
        norms=noticed.norms,
        knobs=noticed.knobs,
        network=handover.network,
        client=handover.client,
        request=handover.exchange,
    ), sample


def denied(denial: Denied, arrival: float, whence: Callable[[], Origin]) -> Observation | None:
    """Of a request that ext_authz denied; None where nobody knows whose it is, of whom it is not
    asked either ``whence`` they came.
    """
    if denial.route is None or not denial.tenant:
        return None
    came = whence()
    return Observation(
        time=arrival,
        tenant=denial.tenant,
        principal=denial.principal,
        route=denial.route.name,
        model="",
        outcome=outcome(denial.refusal.outcome),
        queries=0,
        network=came.network,
        client=came.client,
    )


def outcome(name: str) -> Outcome:
    """Of what the record calls it; else it was refused."""
    return _OUTCOMES.get(name, "refused")

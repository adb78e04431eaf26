"""The ext_authz decision: who is asking, for which route, and what it counts against.

Rule: denied unless everything is known.  The order tells a stranger nothing: without a valid
credential every path answers the same.  Pure: the one thing that must be awaited, the store, is
asked by server/authz.py with the charges found here.
"""

import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from extproc.cause import Cause, furthest
from extproc.client_address import client_address, network
from extproc.credentials import ANY, Needed, Proof, Requirement, Weak, authenticate
from extproc.escalation import Met
from extproc.events import CheckedRequest
from extproc.limits import Charge, Level, Networks
from extproc.origin import NOWHERE, Origin, origin
from extproc.policy import Policy, PolicyTable
from extproc.proof_of_work import LONGEST, SOLUTION
from extproc.refusal import (
    HEADERS_TOO_LARGE,
    INSUFFICIENT,
    METHOD_NOT_ALLOWED,
    UNAUTHENTICATED,
    UNKNOWN_ROUTE,
    UNSUPPORTED_MEDIA_TYPE,
    Refusal,
)
from extproc.rollout import Rollout
from extproc.route import Route

UNKNOWN: Final = frozenset(
    {
        Cause.AUDIT_UNAVAILABLE,
        Cause.ISSUER_UNAVAILABLE,
        Cause.TOKEN_KEYS_MISSING,
        Cause.TOKEN_KEY_UNKNOWN,  # the issuer may have changed its keys a moment ago
    }
)
"""Why it is not known whose a request is, though it may be somebody's."""
_FORM: Final = "multipart/form-data"
_STRANGERS: Final = {cause: UNAUTHENTICATED.called(cause) for cause in Cause}
"""Made once: strangers may be many."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may go on, once its charges are taken."""

    policy: Policy
    proof: Proof
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What the path template's parameters stand for, and the header fields and query parameters
    that the dialect reads."""
    networks: Networks = field(default_factory=dict)
    """Where it comes from, as its limits tell addresses apart."""
    solution: str = ""
    """Of a challenge, as it came."""
    origin: Origin = NOWHERE
    """Where it comes from, as detection tells callers apart."""
    levels: tuple[Level, ...] = ()
    """What was left of the limits that it was charged to."""
    charged: int = 0
    """How many requests its limits were charged with."""
    steps: tuple[Met, ...] = ()
    """The steps of escalation that meet it as it comes."""
    throttles: tuple[Charge, ...] = ()
    """What it counts against because of them."""
    shadow_would: str = ""
    """Code of the refusal that a limit would have given it, were it not on trial."""

    @property
    def charges(self) -> list[Charge]:
        """What it counts against as soon as it comes."""
        return self.policy.charges(self.policy.caller(self.proof.principal, self.networks))


@dataclass(frozen=True, slots=True)
class Denied:
    refusal: Refusal
    route: Route | None = None
    """Whose error shape the answer has; None where the caller may not know which there are."""
    tenant: str = ""
    principal: str = field(default="", compare=False)
    """Whom the record names where the answer, which is a stranger's, may not."""
    detail: str = field(default="", compare=False)
    """The name of the limit, for the record."""
    hidden: str = field(default="", compare=False)
    """Its tenant, where that is known and the answer, which is a stranger's, may not show it."""


_Match = tuple[Route, Mapping[str, str]]
"""A route whose template the path fits, and its parameters."""


def admit(request: CheckedRequest, table: PolicyTable, now: float) -> Admitted | Denied | Needed:
    """Decide on a request by its headers, at ``now`` in seconds of wall time."""
    path, _, _ = request.path.partition("?")
    found = [(route, route.match(path)) for route in table.routes]
    matches = [(route, values) for route, values in found if values is not None]
    return _decide(request, matches, table, now)


def only_on_trial(denied: Denied, rollout: Rollout) -> bool:
    """Whether a request that is denied passes all the same.

    What an operator does is not on trial; and where it could not be found out whose request it is,
    it may be of one for whom all is in force.
    """
    if denied.refusal.cause is Cause.TENANT_STOPPED:
        return False
    unknown = denied.refusal.cause in UNKNOWN and rollout.mode == "enforce"
    return not unknown and rollout.on_trial(denied.tenant or denied.hidden)


def _decide(
    request: CheckedRequest,
    matches: Sequence[_Match],
    table: PolicyTable,
    now: float,
    *,
    hidden: bool = False,
) -> Admitted | Denied | Needed:
    """Among these routes.  One that the tenant does not have is as if it did not exist: once it is
    known who asks, the decision is made again without it.
    """
    route, parameters, refusal = _route(request, matches)
    requirement = route.requirement if route is not None else ANY
    asking = _asking(request, requirement, table, now)
    if not isinstance(asking, tuple):
        return asking
    proof, (tenant, principal) = asking
    policies = table.selecting(request.policy)
    known = [match for match in matches if (tenant, match[0].name) in policies]
    if len(known) < len(matches):
        return _decide(request, known, table, now, hidden=True)
    if route is None:
        refusal = UNKNOWN_ROUTE.called(Cause.ROUTE_NOT_GRANTED) if hidden else UNKNOWN_ROUTE
        return Denied(refusal, tenant=tenant, principal=principal)
    if isinstance(proof, Weak):
        return Denied(INSUFFICIENT.demanding(requirement.acr_values), route, tenant, principal)
    if isinstance(proof, Cause):
        cause = furthest((proof, Cause.CREDENTIAL_OTHER))
        return Denied(_STRANGERS[cause], principal=principal, hidden=tenant)
    return _admitted(request, table, policies[tenant, route.name], proof, parameters, refusal)


def _asking(
    request: CheckedRequest, requirement: Requirement, table: PolicyTable, now: float
) -> tuple[Proof | Weak | Cause, tuple[str, str]] | Denied | Needed:
    """What the request proves of what the route asks for, and whose it is and who asks; these may
    be known though that is not enough.
    """
    proof = who = authenticate(request, requirement, table.provers, table.tenants, now)
    if isinstance(proof, Needed):
        return proof
    if isinstance(proof, Cause) and requirement != ANY:
        who = authenticate(request, ANY, table.provers, table.tenants, now)
    if isinstance(who, Needed):
        return who
    if isinstance(who, Cause):
        return Denied(_STRANGERS[who])
    known = who.proof if isinstance(who, Weak) else who
    return proof, (known.tenant, known.principal)


def _admitted(
    request: CheckedRequest,
    table: PolicyTable,
    policy: Policy,
    proof: Proof,
    parameters: Mapping[str, str],
    refusal: Refusal | None,
) -> Admitted | Denied:
    route, principal = policy.route, proof.principal
    asked = _query(request.path.partition("?")[2], route.dialect.QUERY)
    if refusal is None and route.contract is not None:
        fits = route.contract.admits_headers(request.headers)
        refusal = None if fits or policy.shadow else HEADERS_TOO_LARGE
    if refusal is not None or asked is None:
        unknown = UNKNOWN_ROUTE.called(Cause.QUERY_UNKNOWN)
        return Denied(refusal or unknown, route, policy.tenant, principal)
    if "model" in parameters and not policy.permits(parameters["model"]) and not policy.shadow:
        unknown = policy.unknown(parameters["model"])
        return Denied(unknown, route, policy.tenant, principal)
    fields = {
        name: request.headers[name] for name in route.dialect.HEADERS if name in request.headers
    }
    networks = _networks(request, table, policy) if policy.prefixes else {}
    solves = policy.reserved or policy.ladder.steps
    solution = request.headers.get(SOLUTION, "")[: LONGEST + 1] if solves else ""
    whence = origin(request, table.proxies, table.key) if policy.watched else NOWHERE
    return Admitted(policy, proof, {**parameters, **fields, **asked}, networks, solution, whence)


def _networks(request: CheckedRequest, table: PolicyTable, policy: Policy) -> Networks:
    """Keyed: an address is a person's."""
    address = client_address(request, table.proxies)
    return {
        prefix: hmac.digest(
            table.key, f"network {network(address, prefix)}".encode(), "sha256"
        ).hex()[:16]
        for prefix in policy.prefixes
    }


def _route(
    request: CheckedRequest, matches: Sequence[_Match]
) -> tuple[Route | None, Mapping[str, str], Refusal | None]:
    """The route that is asked, its parameters, and why the request may still not take it."""
    for route, parameters in matches:
        if route.method == request.method:
            return route, parameters, _unreadable(request, route.dialect.MEDIA_TYPES)
    return (matches[0][0], {}, METHOD_NOT_ALLOWED) if matches else (None, {}, None)


def _query(query: str, known: Mapping[str, Collection[str]]) -> dict[str, str] | None:
    """The query parameters, by their name behind a ``?``; None where the dialect does not know one.

    Servers let them change what is answered.  Each stands there as the dialect writes it and once,
    so that nothing is left for the model server to read in another way.
    """
    asked = {}
    for parameter in query.split("&") if query else ():
        name, _, value = parameter.partition("=")
        if value not in known.get(name, ()) or f"?{name}" in asked:
            return None
        asked[f"?{name}"] = value
    return asked


def _unreadable(request: CheckedRequest, known: Collection[str]) -> Refusal | None:
    """Bodies are what the dialect reads, as they are; a request without one needs no type.

    An upgrade is let through by Envoys of some control planes; what comes then nobody reads.
    """
    if "upgrade" in request.headers:
        return UNKNOWN_ROUTE.called(Cause.UPGRADE)
    content_type = request.headers.get("content-type")
    media_type, _, parameter = (content_type or "").partition(";")
    coding = request.headers.get("content-encoding", "identity")
    if coding.strip().lower() != "identity":
        return UNSUPPORTED_MEDIA_TYPE.called(Cause.CONTENT_CODING)
    if content_type is None and request.method in {"GET", "HEAD"}:
        return None
    media_type = media_type.strip().lower()
    charset = parameter.replace(" ", "").lower().removeprefix("charset=").strip('"')
    # The parameter of a form is its boundary, which the dialect reads.
    fitting = media_type in known and (charset in {"", "utf-8"} or media_type == _FORM)
    return None if fitting else UNSUPPORTED_MEDIA_TYPE

"""The ext_authz decision: who is asking, for which route, and what it counts against.

Rule: denied unless everything is known.  The order tells a stranger nothing: without a valid
credential every path answers the same.  Pure: the one thing that must be awaited, the store, is
asked by server/authz.py with the charges found here.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from extproc.credentials import ANY, Needed, Proof, Weak, authenticate
from extproc.events import CheckedRequest
from extproc.limits import Charge
from extproc.policy import Policy, PolicyTable, Route
from extproc.refusal import (
    INSUFFICIENT,
    METHOD_NOT_ALLOWED,
    UNAUTHENTICATED,
    UNKNOWN_MODEL,
    UNKNOWN_ROUTE,
    UNSUPPORTED_MEDIA_TYPE,
    Refusal,
)

_FORM: Final = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may go on, once its charges are taken."""

    policy: Policy
    proof: Proof
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What the path template's parameters stand for, and the header fields and query parameters
    that the dialect reads."""
    charged: int = 0
    """How many requests its limits were charged with."""

    @property
    def charges(self) -> list[Charge]:
        return self.policy.charges(self.proof.principal)


@dataclass(frozen=True, slots=True)
class Denied:
    refusal: Refusal
    route: Route | None = None
    """Whose error shape the answer has; None where the caller may not know which there are."""
    tenant: str = ""
    principal: str = field(default="", compare=False)
    """Whom the record names where the answer, which is a stranger's, may not."""


def admit(request: CheckedRequest, table: PolicyTable, now: float) -> Admitted | Denied | Needed:
    """Decide on a request by its headers, at ``now`` in seconds of wall time."""
    path, _, query = request.path.partition("?")
    route, parameters, refusal = _route(request, path, table)
    requirement = route.requirement if route is not None else ANY
    proof = authenticate(request, requirement, table.provers, table.tenants, now)
    if isinstance(proof, Needed):
        return proof
    if proof is None:
        return Denied(UNAUTHENTICATED)
    proven = proof.proof if isinstance(proof, Weak) else proof
    tenant, principal = proven.tenant, proven.principal
    policy = table.policies.get((tenant, route.name)) if route is not None else None
    if route is None or policy is None:
        return Denied(UNKNOWN_ROUTE, tenant=tenant, principal=principal)
    if isinstance(proof, Weak):
        return Denied(INSUFFICIENT.demanding(requirement.acr_values), route, tenant, principal)
    asked = _query(query, route.dialect.QUERY)
    if refusal is not None or asked is None:
        return Denied(refusal or UNKNOWN_ROUTE, route, tenant, principal)
    if "model" in parameters and not policy.permits(parameters["model"]) and not policy.shadow:
        return Denied(UNKNOWN_MODEL, route, tenant, principal)
    fields = {
        name: request.headers[name] for name in route.dialect.HEADERS if name in request.headers
    }
    return Admitted(policy, proof, {**parameters, **fields, **asked})


def _route(
    request: CheckedRequest, path: str, table: PolicyTable
) -> tuple[Route | None, dict[str, str], Refusal | None]:
    """The route of a path, its parameters, and why the request may still not take it."""
    matches = [(route, found) for route in table.routes if (found := route.match(path)) is not None]
    if not matches:
        return None, {}, UNKNOWN_ROUTE
    for route, parameters in matches:
        if route.method == request.method:
            return route, parameters, _media_type(request, route.dialect.MEDIA_TYPES)
    return matches[0][0], {}, METHOD_NOT_ALLOWED


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


def _media_type(request: CheckedRequest, known: Collection[str]) -> Refusal | None:
    """Bodies are what the dialect reads, as they are; a request without one needs no type."""
    content_type = request.headers.get("content-type")
    media_type, _, parameter = (content_type or "").partition(";")
    coding = request.headers.get("content-encoding", "identity")
    if coding.strip().lower() != "identity":
        return UNSUPPORTED_MEDIA_TYPE
    if content_type is None and request.method in {"GET", "HEAD"}:
        return None
    media_type = media_type.strip().lower()
    charset = parameter.replace(" ", "").lower().removeprefix("charset=").strip('"')
    # The parameter of a form is its boundary, which the dialect reads.
    fitting = media_type in known and (charset in {"", "utf-8"} or media_type == _FORM)
    return None if fitting else UNSUPPORTED_MEDIA_TYPE

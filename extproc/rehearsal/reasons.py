"""Why a request was refused, and which line of the policy would have to say something else.

Rule: what decided is asked again, never decided anew.  Where an answer may have several causes (an
unknown path, a hidden route and a query string read alike), each is looked for where it would be;
where a body breaks a rule, it is read again without one rule at a time, and that without which it
is told something else was it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Final

import msgspec

from extproc.admission import Admitted, Denied
from extproc.config import Config
from extproc.config.document import Place
from extproc.config.entitlements import Grant, compile_grants
from extproc.config.inputs import compile_contract
from extproc.config.settings import InputSettings
from extproc.credentials import Needed
from extproc.errors import ClientError
from extproc.policy import Policy, PolicyTable
from extproc.reading import named
from extproc.refusal import (
    FEATURE_NOT_AVAILABLE,
    HEADERS_TOO_LARGE,
    INSUFFICIENT,
    METHOD_NOT_ALLOWED,
    TOO_LARGE,
    UNAUTHENTICATED,
    UNKNOWN_MODEL,
    UNSUPPORTED_MEDIA_TYPE,
    Refusal,
)
from extproc.rehearsal.play import Played, read
from extproc.route import Route
from extproc.validation import TensorDomain

_FEATURE: Final = re.compile(r"The feature '(\w+)'")


@dataclass(frozen=True, slots=True)
class Reason:
    step: str
    """Which of the steps of a request refused it."""
    why: str
    place: Place
    """What in the policy would have to say something else."""


class Reasons:
    """Those of one policy."""

    def __init__(self, config: Config, table: PolicyTable) -> None:
        self._config, self._table = config, table
        self._grants = compile_grants(config.document, config.settings, table.routes)

    def of(self, played: Played) -> Reason | None:
        """None where the request was not refused."""
        match played.decision:
            case Needed(credential=name):
                why = f"only the issuer of {name} can say, and nobody asks it here"
                return Reason("credentials", why, ("credentials", name))
            case Denied() as denied:
                return self._denied(played, denied)
            case Admitted() as admitted:
                found = played.refusal
                return self._refused(played, admitted, found) if found is not None else None

    def policy(self, tenant: str) -> Place:
        """Where a tenant's policy stands."""
        return ("policies", self._config.settings.tenants[tenant].policy)

    def route(self, route: Route) -> Place:
        """Where a route stands."""
        return ("routes", [each.name for each in self._table.routes].index(route.name))

    def grant(self, policy: Policy) -> Grant:
        """What a policy's settings grant on its route."""
        return self._grants[str(self.policy(policy.tenant)[1])][policy.route.name]

    def source(self, policy: Policy, applies: Policy) -> Place:
        """The policy or the exception that says what applies to a model."""
        grant = self.grant(policy)
        for (_, other), source in zip(policy.exceptions, grant.sources, strict=True):
            if other is applies:
                return source
        return grant.tier.source

    def _denied(self, played: Played, denied: Denied) -> Reason:
        route = denied.route
        if denied.refusal.code == UNAUTHENTICATED.code:
            return self._unauthenticated(played)
        if route is None:
            return self._unknown_route(played, denied.tenant)
        place = self.route(route)
        match denied.refusal.code:
            case INSUFFICIENT.code:
                why = f"nothing that was shown is of strength {route.requirement.strength}"
                where = self._first((*place, "credentials", "strength"), (*place, "risk"))
                return Reason("credentials", why, where)
            case METHOD_NOT_ALLOWED.code:
                return Reason("route", f"it is there for {route.method}", (*place, "method"))
            case UNSUPPORTED_MEDIA_TYPE.code:
                why = "this dialect does not read that content-type or content-encoding"
                return Reason("headers", why, (*place, "dialect"))
            case HEADERS_TOO_LARGE.code:
                return Reason("headers", "together too large", (*place, "input", "headers"))
            case UNKNOWN_MODEL.code:
                parameters = route.match(played.request.path.partition("?")[0]) or {}
                policy = self._table.policies[denied.tenant, route.name]
                return self._unknown_model(policy, parameters["model"])
            case _:
                why = "the dialect knows no such query parameter"
                return Reason("route", why, (*place, "dialect"))

    def _unauthenticated(self, played: Played) -> Reason:
        found = self._matching(played)
        if not found:
            return Reason("credentials", "none that is known was shown", ("credentials",))
        why = "what was shown is not what the route asks for, or proves no tenant"
        return Reason("credentials", why, (*self.route(found[0]), "credentials"))

    def _matching(self, played: Played) -> list[Route]:
        path = played.request.path.partition("?")[0]
        return [route for route in self._table.routes if route.match(path) is not None]

    def _unknown_route(self, played: Played, tenant: str) -> Reason:
        """None of that path; or none that the tenant has."""
        matching = self._matching(played)
        asked = [route for route in matching if route.method == played.request.method]
        for route in (asked or matching)[:1]:
            name = str(self.policy(tenant)[1])
            policy, place = self._config.settings.policies[name], ("policies", name)
            if not any(fnmatchcase(route.name, pattern) for pattern in policy.routes):
                why = f"the routes of the policy do not name {route.name}"
                return Reason("route", why, (*place, "routes"))
            for index, each in enumerate(policy.exceptions):
                fits = any(fnmatchcase(route.name, pattern) for pattern in each.routes)
                if each.deny and not each.models and fits:
                    why = f"an exception denies {route.name}"
                    return Reason("route", why, (*place, "exceptions", index, "deny"))
            why = f"{route.name} is of high risk, and the policy does not grant it"
            return Reason("route", why, (*place, "high_risk"))
        return Reason("route", "no route has this path", ("routes",))

    def _unknown_model(self, policy: Policy, model: str) -> Reason:
        place = self.policy(policy.tenant)
        if any(fnmatchcase(model, pattern) for pattern in policy.models):
            grant = self.grant(policy)
            for (models, other), source in zip(policy.exceptions, grant.sources, strict=True):
                if other is None and any(fnmatchcase(model, pattern) for pattern in models):
                    return Reason("model", "an exception denies it", (*source, "deny"))
        return Reason("model", "the models of the policy do not name it", (*place, "models"))

    def _refused(self, played: Played, admitted: Admitted, refusal: Refusal) -> Reason:
        policy, parameters = admitted.policy, dict(admitted.parameters)
        route = self.route(policy.route)
        if refusal.code == TOO_LARGE.code:
            input_size = (*route, "input", "body")
            contract = policy.route.contract
            bound = contract is not None and contract.body < policy.caps.request
            where = input_size if bound else ("caps", "request")
            return Reason("body", refusal.message, where)
        try:
            model = played.model or named(policy, played.body or b"", parameters)
        except ClientError:
            model = ""
        if refusal.code == UNKNOWN_MODEL.code:
            return self._unknown_model(policy, model)
        applies = policy.of(model) or policy
        feature = _FEATURE.match(refusal.message)
        if refusal.code == FEATURE_NOT_AVAILABLE.code and feature is not None:
            source = self.source(policy, applies)
            places = [(*each, "allow", feature[1]) for each in (source, self.policy(policy.tenant))]
            return Reason("features", refusal.message, self._first(*places))
        return self._invalid(played, policy, parameters, refusal)

    def _invalid(
        self, played: Played, policy: Policy, parameters: dict[str, str], refusal: Refusal
    ) -> Reason:
        """The rule without which something else is said of the body."""
        route = self.route(policy.route)
        body = played.body or b""
        for place, without in self._without_one(route, policy):
            _, _, other = read(without, body, parameters)
            if other is None or other != refusal:
                return Reason("input", refusal.message, place)
        alone = replace(policy, most_inputs=None)
        if read(alone, body, parameters)[2] is None:
            where = ("fidelities", policy.fidelity.name, "embedding")
            return Reason("fidelity", refusal.message, where)
        return Reason("dialect", refusal.message, (*route, "dialect"))

    def _without_one(self, route: Place, policy: Policy) -> Iterator[tuple[Place, Policy]]:
        settings = self._config.settings.routes[int(route[1])].input
        for place, fewer in _fewer(settings):
            contract = compile_contract(
                self._config.document, (*route, "input"), fewer, policy.route.dialect
            )
            yield (
                (*route, "input", *place),
                _under(policy, replace(policy.route, contract=contract)),
            )

    def _first(self, *places: Place) -> Place:
        """The first that somebody wrote."""
        lines = self._config.document.lines
        return next((place for place in places if place in lines), places[-1])


def _fewer(settings: InputSettings) -> Iterator[tuple[Place, InputSettings]]:
    """The rules about input, each time without one of them."""
    for path in settings.fields:
        fields = {other: rule for other, rule in settings.fields.items() if other != path}
        yield ("fields", path), msgspec.structs.replace(settings, fields=fields)
    for name in settings.tensors:  # without its rule it is still one of those there are
        tensors = {**settings.tensors, name: TensorDomain()}
        yield ("tensors", name), msgspec.structs.replace(settings, tensors=tensors)
    if settings.tensors:
        yield ("tensors",), msgspec.structs.replace(settings, tensors={})
    plain = InputSettings()
    for name in ("depth", "array", "string", "batch", "schema"):
        if getattr(settings, name) is not None:
            yield (name,), msgspec.structs.replace(settings, **{name: getattr(plain, name)})
    yield ("count",), msgspec.structs.replace(settings, count=10_000_000)


def _under(policy: Policy, route: Route) -> Policy:
    """The policy, and what applies to models instead, on another form of its route."""
    exceptions = tuple(
        (models, replace(other, route=route) if other is not None else None)
        for models, other in policy.exceptions
    )
    return replace(policy, route=route, exceptions=exceptions)

"""What a policy exposes, read from the table that serves.

Rules: what is described is what one tenant of each policy really gets, from the same table that
would serve it; tenants are counted and not named, so that ten thousand of them are one line.  In
the shadow nothing is held back, so nothing is described as if it were.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Final

from extproc import mutators
from extproc.config import Config
from extproc.config.diagnosis import shown
from extproc.config.expectation import instead
from extproc.config.privacy_budgets import unpaid
from extproc.config.training import Privacy, stated
from extproc.credentials import Requirement
from extproc.credentials.claims import TokenSettings
from extproc.dialects.answers import streamed
from extproc.dialects.features import features
from extproc.dialects.gate import Terms
from extproc.dialects.kinds import UNCOUNTED, has_one_input, kept_of, kinds_of, unread_of
from extproc.fidelity import Fidelity
from extproc.inventory.findings import findings
from extproc.inventory.rating import reasons_of
from extproc.inventory.report import (
    Access,
    Assumed,
    Inventory,
    Private,
    Request,
    Shape,
    Surface,
    Told,
    Training,
    Varies,
    Way,
    ranked,
)
from extproc.inventory.telling import told_of
from extproc.inventory.validation import checks_of
from extproc.limits import SECOND, Calendar, Limit, Rate, Rule, Scope, Sliding
from extproc.mutators import Keyed, Similarity
from extproc.policy import Policy, PolicyTable
from extproc.prediction import KINDS, Kind

DAY: Final = 86_400.0
Models = tuple[str, ...]
_PEOPLE: Final[frozenset[Scope]] = frozenset({"principal", "user", "address"})
"""Of whom a tenant may have many."""
_PATTERN: Final = frozenset("*?[")


def survey(
    config: Config, table: PolicyTable, assumed: Assumed, now: datetime, tenant: str = ""
) -> Inventory:
    """Of one tenant, or of all; ``now`` is what keys are old at.

    Raise ConfigError where there is no such tenant.
    """
    surveyor = _Surveyor(config, table, assumed)
    policies = [_policy_of(config, tenant)] if tenant else surveyor.tenants
    found = _merged(surface for name in policies for surface in surveyor.surfaces(name))
    rated = [replace(surface, reasons=reasons_of(surface)) for surface in found]
    return Inventory(
        policy=config.document.path.name,
        tenant=tenant,
        version=table.version,
        assumed=assumed,
        tenants=len(config.settings.tenants),
        surfaces=tuple(sorted(rated, key=_worst_first)),
        reasons=ranked([*findings(config, table, now)]),
    )


def _private(policy: Policy, kind: Kind) -> Private:
    if not any(isinstance(each, mutators.Private) for each in policy.fidelity.mutators[kind]):
        return ""
    return "uncounted" if kind in unpaid(policy) else "counted"


def _policy_of(config: Config, tenant: str) -> str:
    tenants = config.settings.tenants
    if tenant not in tenants:
        wrong = f"there is no tenant {shown(tenant)}"
        raise config.document.fault(("tenants",), wrong, instead(tenant, tenants))
    return tenants[tenant].policy


def _merged(surfaces: Iterable[Surface]) -> list[Surface]:
    """Models that differ in nothing are one surface."""
    merged: dict[Surface, Surface] = {}
    for each in surfaces:
        alike = replace(each, models=(), not_models=())
        known = merged.setdefault(alike, each)
        if known is not each:
            models = (*each.models, *known.models)
            others = dict.fromkeys((*each.not_models, *known.not_models))
            others_still = tuple(name for name in others if name not in models)
            merged[alike] = replace(each, models=models, not_models=others_still)
    return list(merged.values())


def _worst_first(surface: Surface) -> tuple[object, ...]:
    return (
        -surface.rating,
        -surface.bits_query,
        -surface.access.tenants,
        surface.policy,
        surface.route,
        surface.models,
    )


class _Surveyor:
    """Of one policy file."""

    def __init__(self, config: Config, table: PolicyTable, assumed: Assumed) -> None:
        self._settings, self._table, self._assumed = config.settings, table, assumed
        named = [(tenant.policy, name) for name, tenant in config.settings.tenants.items()]
        self.tenants = Counter(policy for policy, _ in named)
        """By policy."""
        self._one = dict(reversed(named))
        routes = list(zip(table.routes, config.settings.routes, strict=True))
        self._high = {route.name for route, settings in routes if settings.risk == "high"}
        self._trained = {
            route.name: stated(settings.training_privacy) for route, settings in routes
        }

    def surfaces(self, name: str) -> Iterator[Surface]:
        """Of one policy, by route and by models that are treated alike."""
        for route in self._table.routes:
            policy = self._table.policies.get((self._one[name], route.name))
            if policy is not None:
                for models, others, own in _by_models(_enforced(policy)):
                    yield self._surface(name, own, models, others)

    def _surface(self, name: str, policy: Policy, models: Models, others: Models) -> Surface:
        route, request = policy.route, self._request(policy)
        inputs = int(min(Similarity.MOST, request.inputs))
        # A text is no longer than what a request may have written.
        assumed = replace(self._assumed, tokens=int(min(self._assumed.tokens, request.tokens)))
        told = tuple(
            replace(each, private=_private(policy, each.kind))
            for each in told_of(route.dialect, policy.fidelity, assumed, inputs)
        )
        passing = {each.kind for each in told}
        return Surface(
            policy=name,
            route=route.name,
            dialect=str(type(route.dialect).__struct_config__.tag),
            high_risk=route.name in self._high,
            shadow=policy.shadow,
            fidelity=policy.fidelity.name,
            models=models,
            not_models=others,
            access=self._access(name, policy),
            request=request,
            shape=_shape(policy),
            told=told,
            withheld=tuple(kind for kind in kinds_of(route.dialect) if kind not in passing),
            kept=kept_of(route.dialect),
            varies=tuple(_varies(policy, told)),
            training=tuple(_training(self._trained[route.name], models)),
        )

    def _access(self, name: str, policy: Policy) -> Access:
        requirement = policy.route.requirement
        return Access(
            tenants=self.tenants[name],
            ways=tuple(self._ways(requirement)),
            together=bool(requirement.all_of),
            strength=max(requirement.strength, self._weakest(requirement)),
            principal_day=_day((*policy.limits, *policy.reserved)),
            tenant_day=_day(
                limit
                for limit in (*policy.limits, *policy.reserved)
                if _PEOPLE.isdisjoint(limit.per)
            ),
        )

    def _ways(self, requirement: Requirement) -> Iterator[Way]:
        """The credentials that the route takes, and that can be strong enough."""
        known = self._settings.credentials
        for name in _names(requirement, known):
            least, most = self._strengths(name)
            if most >= requirement.strength or name in requirement.all_of:
                strength = f"{least}" if least == most else f"{least} to {most}"
                yield Way(name, str(type(known[name]).__struct_config__.tag), strength)

    def _weakest(self, requirement: Requirement) -> int:
        """The strongest of what must be proven together, or the weakest of what may be."""
        if requirement.all_of:
            return max(self._strengths(name)[0] for name in requirement.all_of)
        return min(self._strengths(name)[0] for name in _names(requirement, self._table.provers))

    def _strengths(self, name: str) -> tuple[int, int]:
        """The least and the most that a credential proves."""
        credential = self._settings.credentials[name]
        acr = credential.acr.values() if isinstance(credential, TokenSettings) else ()
        all_there_are = [credential.strength, *acr]
        return min(all_there_are), max(all_there_are)

    def _request(self, policy: Policy) -> Request:
        route, granted = policy.route, policy.terms.entitlement
        contract = route.contract
        can_ask = features(route.dialect.read)
        bounds = [granted.batch, policy.most_inputs, contract.batch if contract else None]
        inputs = 1.0 if has_one_input(route.dialect) else _least(bounds)
        return Request(
            checks=() if policy.shadow else tuple(checks_of(contract, policy)),
            validated=contract is not None,
            inputs=inputs,
            choices=_least([granted.choices]) if "choices" in can_ask else 1.0,
            tokens=_least([granted.max_tokens]) if "max_tokens" in can_ask else self._tokens(),
            tools=granted.tools and "tools" in can_ask,
            repeatable=policy.terms.repeatable,
            unread=unread_of(route.dialect),
        )

    def _tokens(self) -> float:
        """Of an API whose requests do not say how much is written."""
        return float(self._assumed.tokens)


def _names(requirement: Requirement, known: Iterable[str]) -> tuple[str, ...]:
    named = (*requirement.all_of, *requirement.any_of)
    return tuple(dict.fromkeys(named or known))


def _by_models(policy: Policy) -> Iterator[tuple[Models, Models, Policy]]:
    """Patterns, those of them that other lines are about, and what applies to the rest."""
    before: Models = ()
    for models, other in (*policy.exceptions, (policy.models, policy)):
        named = tuple(name for name in models if name not in before)
        if other is not None and named:
            hidden = tuple(name for name in before if _may_fit(name, named))
            yield named, hidden, other
        before += models


def _training(declared: Iterable[Privacy], models: Models) -> Iterator[Training]:
    """What is declared of models that may be among these."""
    for each in declared:
        if any(_may_fit(pattern, models) for pattern in each.models):
            yield Training(each.epsilon, each.delta, each.models)


def _may_fit(pattern: str, others: Models) -> bool:
    """Whether a model of the pattern may be one of the others; of two patterns any may."""
    some = _has_some(pattern)
    return any(
        fnmatchcase(pattern, other) or (some and (fnmatchcase(other, pattern) or _has_some(other)))
        for other in others
    )


def _has_some(pattern: str) -> bool:
    return not _PATTERN.isdisjoint(pattern)


def _enforced(policy: Policy) -> Policy:
    """What holds of it: in the shadow nothing but who asks, and on which route."""
    if not policy.shadow:
        return policy
    everything: dict[Kind, tuple[()]] = dict.fromkeys(KINDS, ())
    return replace(
        policy,
        route=replace(policy.route, contract=None),
        fidelity=Fidelity(policy.fidelity.name, everything),
        terms=Terms(frozenset(KINDS)),
        models=("*",),
        limits=(),
        reserved=(),
        most_inputs=None,
        spaced=False,
        exceptions=(),
    )


def _day(limits: Iterable[Limit]) -> float:
    """Requests in a day, of whatever model; a query is at least one."""
    counted = (
        each.rule for each in limits if each.unit in {"requests", "queries"} and not each.models
    )
    return min((math.floor(_most(rule)) for rule in counted), default=math.inf)


def _most(rule: Rule[Any]) -> float:
    """What is there at first, and what is refilled until the end of a day."""
    match rule:
        case Rate(max=most, window=window):
            return most * (1 + DAY * SECOND / window)
        case Sliding(max=most, window=window):
            return most * math.ceil(DAY * SECOND / window)
        case Calendar(max=most, periods=periods):
            return most * (25 if periods.period == "hour" else 1)
        case _:
            return math.inf


def _least(bounds: Iterable[int | None]) -> float:
    return min((float(bound) for bound in bounds if bound is not None), default=math.inf)


def _shape(policy: Policy) -> Shape:
    shaping = policy.shaping
    grid, buckets, rate = shaping.grid, shaping.buckets, shaping.rate
    length = None
    if buckets is not None:
        length = f"multiples of {buckets.step} bytes" if buckets.step else "powers of two"
    return Shape(
        grid=f"{grid.step:g} s" if grid else None,
        length=length,
        pace=f"{rate.size} bytes every {rate.tick:g} s" if rate else None,
        streams=policy.terms.entitlement.streaming and any(map(streamed, policy.answers.values())),
    )


def _varies(policy: Policy, told: Collection[Told]) -> Iterator[Varies]:
    shape, kinds = _shape(policy), {each.kind for each in told}
    grid = f"whole multiples of {shape.grid} after the request" if shape.grid else "when ready"
    yield Varies("time", grid)
    yield Varies("length", shape.length or "as it is")
    if shape.streams:
        yield Varies("stream", shape.pace or "event by event, when ready")
    yield Varies("errors", _UNHELD if policy.shadow else _ERRORS)
    fields = _SPACE if policy.spaced else _FIELDS
    yield Varies("headers", _UNHELD if policy.shadow else fields)
    counts = sorted(kinds & UNCOUNTED)
    if counts:
        yield Varies("counts and names", ", ".join(counts))
    chains = (policy.fidelity.mutators[each.kind] for each in told)
    if any(isinstance(mutator, Keyed) for chain in chains for mutator in chain):
        yield Varies("draws", "of the tenant's key: the same for the same input, until the epoch")


_ERRORS: Final = "one status and body per class; the cause is in the record alone"
_FIELDS: Final = "an allow-list, and x-request-id, which is ours"
_SPACE: Final = f"{_FIELDS}; x-extproc-space-id names the space of rotated vectors"
_UNHELD: Final = "the model server's own"

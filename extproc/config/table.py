"""The policy table: every name of the file resolved, every secret read."""

import hmac
import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import msgspec

from extproc.config.credentials import compile_credentials
from extproc.config.diagnosis import shown
from extproc.config.document import Document, Place
from extproc.config.entitlements import Granted, Tier, compile_grants
from extproc.config.expectation import instead
from extproc.config.fidelities import compile_fidelities
from extproc.config.loading import Config
from extproc.config.routes import compile_routes
from extproc.config.secret import resolve
from extproc.config.settings import (
    CapSettings,
    LimitSettings,
    PolicySettings,
    Settings,
    TenantSettings,
)
from extproc.config.shapings import compile_shapings, of_tenants, shaped
from extproc.config.units import octets, seconds
from extproc.dialects.gate import Terms
from extproc.draw import Draw
from extproc.limits import Limit
from extproc.policy import Caps, Fidelity, Policy, PolicyTable, Route
from extproc.shaping import Shaping

Named = TypeVar("Named")


def compile_table(config: Config, environ: Mapping[str, str] = os.environ) -> PolicyTable:
    """Every policy of the file.  Raise ConfigError, worded as by ``load``, where a name or secret
    is missing or two parts of the file contradict each other.
    """
    document, settings = config.document, config.settings
    key = resolve(document, ("keys", "hmac"), settings.keys.hmac, environ)
    routes = compile_routes(document, settings)
    owners = _principals(document, settings.tenants)
    caps = _caps(document, settings.caps)
    shapings = compile_shapings(document, settings, routes)
    return PolicyTable(
        version=_version(settings, key, routes),
        key=key,
        routes=routes,
        provers=compile_credentials(settings.credentials, key, owners),
        tenants=owners,
        policies=_policies(document, settings, key, routes, caps, shapings),
        caps=caps,
        shapings=of_tenants(settings, shapings),
    )


def _version(settings: Settings, key: bytes, routes: Sequence[Route]) -> str:
    """16 hexadecimal digits; keyed, since a new key makes another table, and to tell nothing."""
    contracts = [route.contract for route in routes if route.contract is not None]
    schemas = [each.schema.digest for each in contracts if each.schema is not None]
    return hmac.digest(key, msgspec.json.encode((settings, schemas)), "sha256").hex()[:16]


def _caps(document: Document, settings: CapSettings) -> Caps:
    caps = Caps(
        request=octets(settings.request),
        document=octets(settings.document),
        value=octets(settings.value),
        held=octets(settings.held),
        waiting=settings.waiting,
    )
    for name in ("request", "document", "value"):
        if getattr(caps, name) > caps.held:
            wrong = f"more than caps.held, which is {caps.held} bytes for all requests together"
            raise document.fault(("caps", name), wrong, "lower it, or raise caps.held")
    return caps


def _principals(document: Document, tenants: Mapping[str, TenantSettings]) -> dict[str, str]:
    owners: dict[str, str] = {}
    lines: dict[str, int] = {}
    for tenant, settings in tenants.items():
        for index, principal in enumerate(settings.principals):
            place = ("tenants", tenant, "principals", index)
            if principal in owners:
                wrong = f"listed before, on line {lines[principal]}"
                raise document.fault(place, wrong, "remove one: a key has one owner")
            owners[principal] = tenant
            lines[principal] = document.line(place)
    return owners


def _policies(
    document: Document,
    settings: Settings,
    key: bytes,
    routes: Sequence[Route],
    caps: Caps,
    shapings: Mapping[str, Shaping],
) -> dict[tuple[str, str], Policy]:
    shared = {
        name: _shared(document, ("policies", name), policy)
        for name, policy in settings.policies.items()
    }
    grants = compile_grants(document, settings, routes)
    tiers = _tiers(document, settings, grants)
    answers = [(route, route.dialect.answers()) for route in routes]
    root = Draw(hmac.digest(key, b"draw", "sha256")).child(str(settings.keys.epoch).encode())
    policies: dict[tuple[str, str], Policy] = {}
    for tenant, chosen in settings.tenants.items():
        more = _named(document, ("tenants", tenant, "policy"), chosen.policy, shared)
        shaping = shapings[chosen.policy]
        owned = {
            tier: _owned(tenant, root, shaping=shaping, caps=caps, **more, **what)
            for tier, what in tiers[chosen.policy].items()
        }
        for route, answer in answers:
            on = grants[chosen.policy].get(route.name)
            if on is not None:
                here = {"route": route, "answers": shaped(answer, shaping)}
                exceptions = tuple(
                    (models, owned[tier](**here) if tier is not None else None)
                    for models, tier in on.exceptions
                )
                policies[tenant, route.name] = owned[on.tier](**here, exceptions=exceptions)
    return policies


def _owned(
    tenant: str, root: Draw, *, terms: Terms, fidelity: Fidelity, **more: Any
) -> partial[Policy]:
    """A policy but for where it holds."""
    own = root.child(tenant.encode())
    salt = own.child(b"cache_salt").key.hex()
    return partial(
        Policy,
        tenant=tenant,
        terms=msgspec.structs.replace(terms, salt=salt),
        fidelity=fidelity,
        edits=fidelity.edits(),
        draw=own if fidelity.keyed else None,
        **more,
    )


def _tiers(
    document: Document, settings: Settings, grants: Mapping[str, Mapping[str, Granted]]
) -> dict[str, dict[Tier, dict[str, Any]]]:
    """By policy: what each of its tiers makes of it."""
    fidelities = compile_fidelities(document, settings.fidelities)
    return {
        name: {
            tier: _tier(document, tier, fidelities, repeatable=policy.repeatable)
            for granted in grants[name].values()
            for tier in granted.tiers
        }
        for name, policy in settings.policies.items()
    }


def _tier(
    document: Document, tier: Tier, fidelities: Mapping[str, Fidelity], *, repeatable: bool
) -> dict[str, Any]:
    fidelity = _named(document, tier.place, tier.fidelity, fidelities)
    terms = Terms(
        frozenset(fidelity.mutators),
        untouched=frozenset(kind for kind, chain in fidelity.mutators.items() if not chain),
        repeatable=repeatable,
        alternatives=fidelity.alternatives,
        entitlement=tier.entitlement,
    )
    return {"fidelity": fidelity, "terms": terms}


def _shared(document: Document, place: Place, settings: PolicySettings) -> dict[str, Any]:
    """What holds wherever the policy does, whoever has it."""
    return {
        "models": settings.models,
        "limits": _limits(document, (*place, "limits"), settings.limits),
        "shadow": settings.mode == "shadow",
    }


def _limits(
    document: Document, place: Place, settings: Sequence[LimitSettings]
) -> tuple[Limit, ...]:
    lines: dict[str, int] = {}
    for index, limit in enumerate(settings):
        here = (*place, index, "name")
        if limit.name in lines:
            wrong = f"repeated, first on line {lines[limit.name]}"
            raise document.fault(here, wrong, "rename one: limits of one name share a count")
        lines[limit.name] = document.line(here)
    return tuple(
        Limit(limit.name, limit.per, limit.max, seconds(limit.window)) for limit in settings
    )


def _named(document: Document, place: Place, name: str, known: Mapping[str, Named]) -> Named:
    if name not in known:
        wrong = f"there is no {place[-1]} {shown(name)}"
        raise document.fault(place, wrong, instead(name, known))
    return known[name]

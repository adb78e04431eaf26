"""The policy table: every name of the file resolved, every secret read."""

import hmac
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, TypeVar

import msgspec

from extproc.config.audit import compile_pseudonyms
from extproc.config.clients import compile_proxies
from extproc.config.credentials import compile_credentials
from extproc.config.diagnosis import AT_ONCE, shown
from extproc.config.document import Document, Place
from extproc.config.entitlements import Grant, Tier, compile_grants
from extproc.config.expectation import instead
from extproc.config.fidelities import compile_fidelities
from extproc.config.gatherings import check_gatherings
from extproc.config.granted import Granted
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
from extproc.dialects.gate import Terms
from extproc.dialects.vector_places import vector_places
from extproc.draw import Draw
from extproc.limits import Limit
from extproc.policy import Caps, Fidelity, Policy, PolicyTable, Route
from extproc.shaping import Shaping
from extproc.units import octets, seconds

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
    provers = compile_credentials(document, settings, key, owners, environ, routes)
    pseudonyms = compile_pseudonyms(document, settings, key, environ)
    return PolicyTable(
        version=_version(settings, key, document.files.digest()),
        key=key,
        routes=routes,
        provers=provers,
        tenants=owners,
        policies=_policies(document, settings, key, routes, caps, shapings),
        caps=caps,
        shapings=of_tenants(settings, shapings),
        pseudonyms=pseudonyms,
        proxies=compile_proxies(document, settings.clients),
    )


def _version(settings: Settings, key: bytes, files: bytes) -> str:
    """16 hexadecimal digits; keyed, since a new key makes another table, and to tell nothing.

    ``files`` stands for what the files hold that the policy names: who is let in by another list of
    keys is let in by another table.
    """
    made = hmac.new(key, digestmod="sha256")
    made.update(msgspec.json.encode(msgspec.structs.replace(settings, tenants={})))
    tenants = iter(settings.tenants.items())
    while part := dict(islice(tenants, AT_ONCE)):
        made.update(msgspec.json.encode(part))
    made.update(files)
    return made.hexdigest()[:16]


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
    lines: dict[str, str] = {}
    for tenant, settings in tenants.items():
        for index, principal in enumerate(settings.principals):
            place = ("tenants", tenant, "principals", index)
            if principal in owners:
                wrong = f"listed before, on {lines[principal]}"
                raise document.fault(place, wrong, "remove one: a key has one owner")
            owners[principal] = tenant
            lines[principal] = document.mention(place)
    return owners


def _policies(
    document: Document,
    settings: Settings,
    key: bytes,
    routes: Sequence[Route],
    caps: Caps,
    shapings: Mapping[str, Shaping],
) -> Mapping[tuple[str, str], Policy]:
    grants = compile_grants(document, settings, routes)
    tiers = _tiers(document, settings, grants, routes)
    shared = {
        name: _shared(document, ("policies", name), policy)
        for name, policy in settings.policies.items()
    }
    places = {name: _places(routes, granted, shapings[name]) for name, granted in grants.items()}
    # Of their own: the settings need not live as long as the table.
    names = {tenant: chosen.policy for tenant, chosen in settings.tenants.items()}
    of_tenants = {
        tenant: _named(document, ("tenants", tenant, "policy"), name, places)
        for tenant, name in names.items()
    }
    root = Draw(hmac.digest(key, b"draw", "sha256")).child(str(settings.keys.epoch).encode())
    common: dict[str, Any] = {"caps": caps, "audited": settings.audit is not None}

    def grant(tenant: str, route: str) -> Policy:
        name = names[tenant]
        place = places[name][route]
        own: Callable[..., Policy] = partial(_owned, tenant, root, place, **common, **shared[name])
        others = tuple(
            (models, own(tiers[name][tier]) if tier is not None else None)
            for models, tier in place.grant.exceptions
        )
        return own(tiers[name][place.grant.tier], exceptions=others)

    return Granted(of_tenants, grant)


def _places(
    routes: Sequence[Route], granted: Mapping[str, Grant], shaping: Shaping
) -> dict[str, "_Place"]:
    """By the name of each route that a policy has."""
    return {
        route.name: _place(route, granted[route.name], shaping)
        for route in routes
        if route.name in granted
    }


@dataclass(frozen=True, slots=True)
class _Place:
    """What a policy is on a route, whoever's it is and whatever its tier."""

    grant: Grant
    here: Mapping[str, Any]
    embeds: bool
    """Whether the route answers vectors."""


def _place(route: Route, grant: Grant, shaping: Shaping) -> _Place:
    answers = shaped(route.dialect.answers(), shaping)
    here = {"route": route, "answers": answers, "shaping": shaping}
    return _Place(grant, here, any(map(vector_places, answers.values())))


def _owned(tenant: str, root: Draw, place: _Place, tier: Mapping[str, Any], **more: Any) -> Policy:
    own, fidelity = root.child(tenant.encode()), tier["fidelity"]
    salt = own.child(b"cache_salt").key.hex()
    return Policy(
        tenant=tenant,
        fidelity=fidelity,
        edits=tier["edits"],
        terms=msgspec.structs.replace(tier["terms"], salt=salt),
        draw=own if fidelity.keyed else None,
        most_inputs=fidelity.compared if place.embeds else None,
        spaced=fidelity.rotates and place.embeds,
        **place.here,
        **more,
    )


def _tiers(
    document: Document,
    settings: Settings,
    grants: Mapping[str, Mapping[str, Grant]],
    routes: Sequence[Route],
) -> dict[str, dict[Tier, dict[str, Any]]]:
    """By policy: what each of its tiers makes of it."""
    fidelities = compile_fidelities(document, settings.fidelities, routes)
    tiers = {
        name: {
            tier: _tier(document, tier, fidelities, repeatable=policy.repeatable)
            for granted in grants[name].values()
            for tier in granted.tiers
        }
        for name, policy in settings.policies.items()
    }
    for name in settings.policies:
        for route in routes:
            if route.name in grants[name]:
                for tier in grants[name][route.name].tiers:
                    check_gatherings(document, fidelities[tier.fidelity], [route])
    return tiers


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
    return {"fidelity": fidelity, "edits": fidelity.edits(), "terms": terms}


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

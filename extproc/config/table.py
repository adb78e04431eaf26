"""The policy table: every name of the file resolved, every secret read."""

import hmac
import os
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from extproc.config.audit import compile_pseudonyms
from extproc.config.clients import compile_proxies
from extproc.config.credentials import compile_credentials
from extproc.config.diagnosis import shown
from extproc.config.document import Document, Place
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
    credentials = compile_credentials(document, settings, key, owners, environ, routes)
    pseudonyms = compile_pseudonyms(document, settings, key, environ)
    return PolicyTable(
        version=_version(settings, key, credentials.version),
        key=key,
        routes=routes,
        provers=credentials.provers,
        tenants=owners,
        policies=_policies(document, settings, key, routes, caps, shapings),
        caps=caps,
        shapings=of_tenants(settings, shapings),
        pseudonyms=pseudonyms,
        proxies=compile_proxies(document, settings.clients),
    )


def _version(settings: Settings, key: bytes, files: bytes) -> str:
    """16 hexadecimal digits; keyed, since a new key makes another table, and to tell nothing.

    ``files`` stands for the files that the policy names: who is let in by another list of keys is
    let in by another table.
    """
    return hmac.digest(key, msgspec.json.encode(settings) + files, "sha256").hex()[:16]


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
) -> Mapping[tuple[str, str], Policy]:
    fidelities = compile_fidelities(document, settings.fidelities, routes)
    terms = {
        name: _terms(document, ("policies", name), policy, fidelities)
        for name, policy in settings.policies.items()
    }
    for policy in settings.policies.values():
        check_gatherings(document, fidelities[policy.fidelity], routes)
    shared = {
        tenant: _named(document, ("tenants", tenant, "policy"), chosen.policy, terms)
        for tenant, chosen in settings.tenants.items()
    }
    places: dict[tuple[str, str], dict[str, Any]] = {
        (name, route.name): _place(route, fidelities[policy.fidelity], shapings[name])
        for name, policy in settings.policies.items()
        for route in routes
    }
    root = Draw(hmac.digest(key, b"draw", "sha256")).child(str(settings.keys.epoch).encode())
    audited = settings.audit is not None

    def grant(tenant: str, route: str) -> Policy:
        place = places[settings.tenants[tenant].policy, route]
        return _owned(tenant, root, caps=caps, audited=audited, **shared[tenant], **place)

    return Granted(settings.tenants, {route.name: route for route in routes}, grant)


def _place(route: Route, fidelity: Fidelity, shaping: Shaping) -> dict[str, Any]:
    """What a policy is on a route, whoever's it is."""
    answers = shaped(route.dialect.answers(), shaping)
    place = {"route": route, "answers": answers, "shaping": shaping}
    if any(map(vector_places, answers.values())):
        place |= {"most_inputs": fidelity.compared, "spaced": fidelity.rotates}
    return place


def _owned(tenant: str, root: Draw, *, terms: Terms, fidelity: Fidelity, **more: Any) -> Policy:
    own = root.child(tenant.encode())
    salt = own.child(b"cache_salt").key.hex()
    return Policy(
        tenant=tenant,
        terms=msgspec.structs.replace(terms, salt=salt),
        fidelity=fidelity,
        draw=own if fidelity.keyed else None,
        **more,
    )


def _terms(
    document: Document,
    place: Place,
    settings: PolicySettings,
    fidelities: Mapping[str, Fidelity],
) -> dict[str, Any]:
    """A policy but for whose it is, and where it holds."""
    fidelity = _named(document, (*place, "fidelity"), settings.fidelity, fidelities)
    terms = Terms(
        frozenset(fidelity.mutators),
        untouched=frozenset(kind for kind, chain in fidelity.mutators.items() if not chain),
        repeatable=settings.repeatable,
        alternatives=fidelity.alternatives,
    )
    return {
        "fidelity": fidelity,
        "edits": fidelity.edits(),
        "terms": terms,
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

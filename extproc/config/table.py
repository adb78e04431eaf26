"""The policy table: every name of the file resolved, every secret read."""

import hmac
import os
from collections.abc import Mapping
from itertools import islice
from typing import TypeVar

import msgspec

from extproc.caps import Caps
from extproc.config.audit import compile_pseudonyms
from extproc.config.clients import compile_proxies
from extproc.config.credentials import compile_credentials
from extproc.config.diagnosis import AT_ONCE
from extproc.config.document import Document
from extproc.config.loading import Config
from extproc.config.policies import compile_policies
from extproc.config.routes import compile_routes
from extproc.config.secret import resolve
from extproc.config.settings import (
    CapSettings,
    Settings,
    TenantSettings,
)
from extproc.config.shapings import compile_shapings, of_tenants
from extproc.policy import PolicyTable
from extproc.units import octets

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
    rollout = settings.rollout.rollout()
    policies, selected = compile_policies(document, settings, key, routes, caps, shapings)
    provers = compile_credentials(document, settings, key, owners, environ, routes)
    pseudonyms = compile_pseudonyms(document, settings, key, environ)
    return PolicyTable(
        version=_version(settings, key, document.files.digest()),
        key=key,
        routes=routes,
        provers=provers,
        tenants=owners,
        policies=policies,
        selected=selected,
        selected_shapings={name: shapings[name] for name in settings.policies},
        caps=caps,
        shapings=of_tenants(settings, shapings, rollout),
        pseudonyms=pseudonyms,
        proxies=compile_proxies(document, settings.clients),
        rollout=rollout,
    )


def _version(settings: Settings, key: bytes, files: bytes) -> str:
    """16 hexadecimal digits; keyed, since a new key makes another table, and to tell nothing.

    ``files`` stands for what the files hold that the policy names: who is let in by another list of
    keys is let in by another table.  Where a process listens decides nothing: one of two replicas
    goes on with what the other has let in.
    """
    made = hmac.new(key, digestmod="sha256")
    nowhere = {"listen": "", "health": "", "admin": None, "control": None}
    made.update(msgspec.json.encode(msgspec.structs.replace(settings, tenants={}, **nowhere)))
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

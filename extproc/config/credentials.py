"""Credentials: what each is checked against, and which of them a route asks for."""

from collections.abc import Collection, Mapping

from extproc.config.diagnosis import shown
from extproc.config.document import Document, Place
from extproc.config.expectation import instead
from extproc.config.settings import RequirementSettings, Settings
from extproc.config.signatures import compile_signatures, require_tenant
from extproc.credentials import (
    ApiKey,
    ApiKeys,
    Certificates,
    Credential,
    Mtls,
    Prover,
    Requirement,
    Signature,
)
from extproc.policy import Route


def compile_credentials(
    document: Document,
    settings: Settings,
    hmac_key: bytes,
    owners: Mapping[str, str],
    environ: Mapping[str, str],
    routes: Collection[Route],
) -> dict[str, Prover]:
    """By name.  ``owners`` is principal to tenant.  Raise ConfigError where one cannot be used."""
    provers: dict[str, Prover] = {}
    for name, credential in settings.credentials.items():
        match credential:
            case ApiKey():
                provers[name] = ApiKeys(credential, hmac_key, owners)
            case Mtls():
                provers[name] = _certificates(document, name, credential, settings, owners)
            case Signature():
                provers[name] = compile_signatures(document, name, settings, routes, environ)
    return provers


def _certificates(
    document: Document, name: str, credential: Mtls, settings: Settings, owners: Mapping[str, str]
) -> Certificates:
    for field in ("uris", "digests"):
        for key, tenant in getattr(credential, field).items():
            place = ("credentials", name, field, key)
            require_tenant(document, place, tenant, settings.tenants)
    return Certificates(credential, owners)


def compile_requirement(
    document: Document,
    place: Place,
    settings: RequirementSettings,
    credentials: Mapping[str, Credential],
) -> Requirement:
    """Raise ConfigError where a name is unknown, or no credential it names is strong enough."""
    for field in ("any_of", "all_of"):
        for index, name in enumerate(getattr(settings, field)):
            if name not in credentials:
                wrong = f"there is no credential {shown(name)}"
                raise document.fault((*place, field, index), wrong, instead(name, credentials))
    named = (*settings.any_of, *settings.all_of) or tuple(credentials)
    strongest = max(credentials[name].strength for name in named)
    if strongest < settings.strength:
        wrong = f"no credential of this route is stronger than {strongest}"
        remedy = "lower it, or name a stronger one"
        raise document.fault((*place, "strength"), wrong, remedy)
    return Requirement(settings.any_of, settings.all_of, settings.strength)

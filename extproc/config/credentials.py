"""Credentials: what each is checked against, and which of them a route asks for."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from extproc.config.diagnosis import shown
from extproc.config.document import Document, Place
from extproc.config.expectation import instead
from extproc.config.jwks import jwts
from extproc.config.keyring import EMPTY, MAKE_ONE, Keyring, load_keyring
from extproc.config.secret import resolve
from extproc.config.settings import RequirementSettings, Settings
from extproc.config.signatures import compile_signatures, require_tenant
from extproc.credentials import (
    ApiKey,
    ApiKeys,
    Certificates,
    Credential,
    EnvoyJwt,
    EnvoyJwts,
    Introspection,
    Introspections,
    Jwt,
    Mtls,
    Prover,
    Requirement,
    Signature,
)
from extproc.credentials.claims import TokenSettings
from extproc.route import Route


def compile_credentials(
    document: Document,
    settings: Settings,
    hmac_key: bytes,
    owners: Mapping[str, str],
    environ: Mapping[str, str],
    routes: Collection[Route],
) -> dict[str, Prover]:
    """By name.  ``owners`` is principal to tenant.

    Raise ConfigError where a file or secret that one names cannot be used.
    """
    tenants = settings.tenants.keys()
    provers: dict[str, Prover] = {}
    for name, credential in settings.credentials.items():
        match credential:
            case ApiKey():
                ring = keyring(document, name, credential, settings, owners)
                provers[name] = ApiKeys(credential, hmac_key, owners, ring.keys)
            case Jwt():
                provers[name] = jwts(document, name, credential, hmac_key, tenants)
            case Introspection():
                place = ("credentials", name, "client_secret")
                secret = resolve(document, place, credential.client_secret, environ, least=1)
                known = secret.decode(errors="surrogateescape")
                provers[name] = Introspections(name, credential, known, hmac_key, tenants)
            case EnvoyJwt():
                provers[name] = EnvoyJwts(credential, tenants)
            case Mtls():
                provers[name] = _certificates(document, name, credential, settings, owners)
            case Signature():
                provers[name] = compile_signatures(document, name, settings, routes, environ)
    return provers


def keyring(
    document: Document,
    name: str,
    credential: ApiKey,
    settings: Settings,
    owners: Mapping[str, str],
) -> Keyring:
    """The keys of a credential's file.  Raise ConfigError, which names file and line."""
    if credential.file is None:
        return EMPTY
    path = document.folder(("credentials", name, "file")) / credential.file
    document.files.look(path)
    try:
        ring = load_keyring(path, settings.tenants, owners, credential.max_keys)
    except OSError as error:
        wrong = f"{path} cannot be read ({error.strerror})"
        missing = isinstance(error, FileNotFoundError)
        remedy = MAKE_ONE if missing else "let whoever runs the sidecar read it"
        raise document.fault(("credentials", name, "file"), wrong, remedy) from error
    document.files.found(path, ring.version)
    return ring


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
    _check_together(document, (*place, "all_of"), settings.all_of, credentials)
    named = (*settings.any_of, *settings.all_of) or tuple(credentials)
    most = max(strongest(credentials[name]) for name in named)
    strength = settings.strength or 0
    if most < strength:
        wrong = f"no credential of this route is stronger than {most}"
        remedy = "lower it, or name a stronger one"
        raise document.fault((*place, "strength"), wrong, remedy)
    acr_values = _acr_values((credentials[name] for name in named), strength)
    return Requirement(settings.any_of, settings.all_of, strength, acr_values)


def _check_together(
    document: Document, place: Place, names: Sequence[str], credentials: Mapping[str, Credential]
) -> None:
    """One header field cannot hold a key and a token."""
    bearing = any(isinstance(credentials[name], Jwt | Introspection) for name in names)
    for index, name in enumerate(names):
        credential = credentials[name]
        if bearing and isinstance(credential, ApiKey) and "authorization" in credential.headers:
            wrong = f"a request has one authorization, and {shown(name)} looks there for keys too"
            remedy = f"write headers: [x-api-key] at credentials.{name}"
            raise document.fault((*place, index), wrong, remedy)


def strongest(credential: Credential) -> int:
    """The most that it can prove."""
    acr = credential.acr if isinstance(credential, TokenSettings) else {}
    return max([credential.strength, *acr.values()])


def _acr_values(credentials: Iterable[Credential], strength: int) -> tuple[str, ...]:
    """What makes tokens strong enough, where the issuer is asked for it (RFC 9470, section 3)."""
    known = [each.acr for each in credentials if isinstance(each, TokenSettings)]
    enough = [value for acr in known for value, reached in acr.items() if reached >= strength]
    return tuple(dict.fromkeys(enough))

"""Signing keys: read, of the algorithm that they are said to be of, and whose they are."""

from collections.abc import Collection, Mapping
from typing import Final

from extproc.config.diagnosis import shown
from extproc.config.document import Document, Place
from extproc.config.expectation import instead
from extproc.config.secret import resolve
from extproc.config.settings import Settings
from extproc.credentials import ApiKeys, Signature, Signatures, SigningKey
from extproc.credentials.signature_key import VerifyingKey, checked_by
from extproc.route import Route
from extproc.units import seconds

LONGEST: Final = 3600.0
"""Seconds that a signature may count for, since its nonce is kept as long."""
_MAKE: Final = {
    "public_key": "make one with: openssl pkey -in PRIVATE -pubout",
    "secret": "make one with: openssl rand -hex 32",
}


def compile_signatures(
    document: Document,
    name: str,
    settings: Settings,
    routes: Collection[Route],
    environ: Mapping[str, str],
) -> Signatures:
    """Raise ConfigError where a key cannot be used, or is listed by another credential too."""
    place, credential = ("credentials", name), settings.credentials[name]
    assert isinstance(credential, Signature)
    for field in ("max_age", "skew"):
        if seconds(getattr(credential, field)) > LONGEST:
            raise document.fault((*place, field), "longer than 1h", "write 1h or less")
    keys = {}
    for key, listed in credential.keys.items():
        here = (*place, "keys", key)
        _listed_once(document, here, name, settings)
        require_tenant(document, (*here, "tenant"), listed.tenant, settings.tenants)
        keys[key] = _key(document, here, listed, environ)
    return Signatures(credential, keys, _deciding(routes))


def _deciding(routes: Collection[Route]) -> set[str]:
    """Header fields that an API of these is read by, or another credential."""
    read = {name for route in routes for name in route.dialect.HEADERS}
    return {"content-type", *ApiKeys.headers} | read


def require_tenant(document: Document, place: Place, tenant: str, tenants: Collection[str]) -> None:
    """Raise ConfigError where nobody is called so."""
    if tenant not in tenants:
        raise document.fault(place, f"there is no tenant {shown(tenant)}", instead(tenant, tenants))


def _listed_once(document: Document, place: Place, name: str, settings: Settings) -> None:
    """A key id is a principal, and what its nonces are known by."""
    for other, credential in settings.credentials.items():
        if other == name:
            return
        if isinstance(credential, Signature) and place[-1] in credential.keys:
            wrong = f"the credential {shown(other)} lists this key id too"
            raise document.fault(place, wrong, "rename one")


def _key(
    document: Document, place: Place, listed: SigningKey, environ: Mapping[str, str]
) -> VerifyingKey:
    field = "secret" if listed.algorithm == "hmac-sha256" else "public_key"
    other = "public_key" if field == "secret" else "secret"
    reference = getattr(listed, field)
    if getattr(listed, other) is not None:
        wrong = f"{listed.algorithm} has a {field}"
        raise document.fault((*place, other), wrong, f"write {field} instead")
    if reference is None:
        wrong = f"{listed.algorithm} needs a {field}"
        raise document.fault(place, wrong, f"add {field}: file:PATH")
    here = (*place, field)
    material = resolve(document, here, reference, environ, remedy=_MAKE[field])
    check = checked_by(listed.algorithm, material)
    if check is None:
        wrong = f"no public key for {listed.algorithm} in PEM"
        raise document.fault(here, wrong, _MAKE[field])
    return VerifyingKey(listed.tenant, listed.algorithm, check)

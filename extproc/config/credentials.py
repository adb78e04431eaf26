"""Credentials: what each is checked against, and which of them a route asks for."""

from collections.abc import Mapping

from extproc.config.diagnosis import shown
from extproc.config.document import Document, Place
from extproc.config.expectation import instead
from extproc.config.settings import RequirementSettings
from extproc.credentials import ApiKey, ApiKeys, Credential, Prover, Requirement


def compile_credentials(
    credentials: Mapping[str, Credential], hmac_key: bytes, owners: Mapping[str, str]
) -> dict[str, Prover]:
    """By name.  ``owners`` is principal to tenant."""
    return {name: _prover(credential, hmac_key, owners) for name, credential in credentials.items()}


def _prover(credential: Credential, hmac_key: bytes, owners: Mapping[str, str]) -> Prover:
    match credential:
        case ApiKey():
            return ApiKeys(credential, hmac_key, owners)


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
    strength = settings.strength or 0
    if strongest < strength:
        wrong = f"no credential of this route is stronger than {strongest}"
        remedy = "lower it, or name a stronger one"
        raise document.fault((*place, "strength"), wrong, remedy)
    return Requirement(settings.any_of, settings.all_of, strength)

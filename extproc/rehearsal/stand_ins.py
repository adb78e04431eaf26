"""A policy without its secrets, for whoever asks what it says and need not have any.

Rule: nothing is proven by a stand-in: whoever uses one assumes who asks.  Secrets are the same
wherever they stand in, so that what is drawn under them comes out alike everywhere.
"""

from dataclasses import replace
from typing import Any, Final

from msgspec.structs import replace as changed

from extproc.config import Config, compile_table
from extproc.config.settings import RolloutSettings
from extproc.credentials import ApiKey, Credential, Introspection, Signature
from extproc.policy import PolicyTable

SECRET: Final = "0" * 64
_NAME: Final = "EXTPROC_STAND_IN"
_REFERENCE: Final = f"env:{_NAME}"


def table_without_secrets(config: Config) -> PolicyTable:
    """The table, in which no key is known.  Raise ConfigError where another part cannot be used."""
    return compile_table(without_secrets(config), {_NAME: SECRET})


def in_force(config: Config) -> Config:
    """The same policy for everybody, however far it has been rolled out."""
    return replace(config, settings=changed(config.settings, rollout=RolloutSettings()))


def without_secrets(config: Config) -> Config:
    """The same policy, which names neither secrets nor key files."""
    settings = config.settings
    changes: dict[str, Any] = {
        "keys": changed(settings.keys, hmac=_REFERENCE),
        "credentials": {name: _bare(each) for name, each in settings.credentials.items()},
    }
    if settings.audit is not None:
        changes["audit"] = changed(settings.audit, pseudonyms=None)
    return replace(config, settings=changed(settings, **changes))


def _bare(credential: Credential) -> Credential:
    match credential:
        case ApiKey():
            return changed(credential, file=None)
        case Introspection():
            return changed(credential, client_secret=_REFERENCE)
        case Signature(keys=keys):
            return changed(
                credential,
                keys={
                    name: changed(key, secret=_REFERENCE) if key.secret is not None else key
                    for name, key in keys.items()
                },
            )
        case _:
            return credential

"""The audit log that a policy file asks for: where it is, and under which keys."""

import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from extproc.audit import Pseudonyms
from extproc.config.document import Document
from extproc.config.loading import Config
from extproc.config.ownership import VaultPlan, compile_vault
from extproc.config.secret import resolve
from extproc.config.settings import Settings
from extproc.errors import Malformed
from extproc.units import octets, seconds

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_MAKE: Final = "make one with: extproc audit key FILE"


@dataclass(frozen=True, slots=True)
class AuditPlan:
    """See settings.AuditSettings; seconds and bytes."""

    path: Path
    key: "Ed25519PrivateKey"
    every: int = 1000
    within: float = 10.0
    size: int = 100 << 20
    age: float = 86_400.0
    keep: int = 30
    refuse: bool = True
    queue: int = 10_000
    fsync: Literal["always", "checkpoint", "never"] = "checkpoint"
    vault: VaultPlan | None = None
    """What holds that whose commitments the log has."""


def compile_audit(config: Config, environ: Mapping[str, str] = os.environ) -> AuditPlan | None:
    """None where no log is asked for.  Raise ConfigError where its key cannot be used."""
    document, settings = config.document, config.settings.audit
    # Aside: the policy is the same whoever signs the log, or opens the vault.
    document = replace(document, files=document.files.aside())
    vault = compile_vault(document, config.settings, environ)
    if settings is None:
        return None
    checkpoint, rotate = settings.checkpoint, settings.rotate
    return AuditPlan(
        path=document.folder(("audit", "path")) / settings.path,
        key=_key(document, settings.key, environ),
        every=checkpoint.every,
        within=seconds(checkpoint.within),
        size=octets(rotate.size),
        age=seconds(rotate.age),
        keep=rotate.keep,
        refuse=settings.full == "refuse",
        queue=settings.queue,
        fsync=settings.fsync,
        vault=vault,
    )


def compile_pseudonyms(
    document: Document, settings: Settings, hmac_key: bytes, environ: Mapping[str, str]
) -> Pseudonyms | None:
    """Of the secret that the log names, else of the key that all others come from."""
    audit = settings.audit
    if audit is None:
        return None
    secret = hmac_key
    if audit.pseudonyms is not None:
        secret = resolve(document, ("audit", "pseudonyms"), audit.pseudonyms, environ)
    return Pseudonyms(hmac.digest(secret, b"audit %d" % settings.keys.epoch, "sha256"))


def _key(document: Document, reference: str, environ: Mapping[str, str]) -> "Ed25519PrivateKey":
    from extproc.audit.signature import private_key  # noqa: PLC0415 - 7 MiB, for those who sign

    place = ("audit", "key")
    try:
        return private_key(resolve(document, place, reference, environ, remedy=_MAKE))
    except Malformed as error:
        raise document.fault(place, f"it is {error}", _MAKE) from error

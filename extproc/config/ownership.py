"""The vault that a policy file names, and that marks are only where they are committed to."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from extproc.config.document import Document
from extproc.config.secret import resolve
from extproc.config.settings import Settings
from extproc.errors import Malformed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

_MAKE: Final = "make one with: extproc keys vault FILE, and name FILE.pub"


@dataclass(frozen=True, slots=True)
class VaultPlan:
    """See settings.OwnershipSettings."""

    path: Path
    recipient: "X25519PublicKey"
    entries: int = 100_000
    queue: int = 1000


def compile_vault(
    document: Document, settings: Settings, environ: Mapping[str, str] = os.environ
) -> VaultPlan | None:
    """None where none is asked for.  Raise ConfigError where its key cannot be used, or where there
    is no audit log to hold the commitments.
    """
    ownership = settings.ownership
    if ownership is None:
        return None
    if settings.audit is None:
        wrong = "what is put there could not be committed to without an audit log"
        raise document.fault(("ownership",), wrong, "add audit, or remove this")
    from extproc.marks.entry import recipient  # noqa: PLC0415 - cryptography, for those who seal

    place = ("ownership", "recipient")
    try:
        key = recipient(resolve(document, place, ownership.recipient, environ, remedy=_MAKE))
    except Malformed as error:
        raise document.fault(place, f"it is {error}", _MAKE) from error
    path = document.folder(("ownership", "vault")) / ownership.vault
    return VaultPlan(path, key, ownership.entries, ownership.queue)

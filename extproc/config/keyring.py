"""The keys of a file, ready to be looked up.

Rules: a key has one line, one owner that the policy knows, and stands nowhere else.  It takes as
little memory as it can: sixteen octets of the keyed hash, and one object that names its tenant by
the policy's own string.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from extproc.config.diagnosis import shown
from extproc.config.document import fault
from extproc.config.expectation import instead
from extproc.config.key_file import KeyLine, read_pieces
from extproc.credentials.api_key import DIGEST, IssuedKey
from extproc.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of one file."""

    keys: Mapping[bytes, IssuedKey]
    """By the first octets of the keyed hash."""
    version: bytes
    """A digest of all that the file says of them."""


EMPTY: Final = Keyring({}, b"")


@dataclass(frozen=True, slots=True)
class Own:
    """What the policy file itself says of who there is."""

    tenants: Mapping[str, str]
    listed: frozenset[str]
    """Principals of its tenants."""


def load_keyring(path: Path, tenants: Iterable[str], listed: Iterable[str], most: int) -> Keyring:
    """Read a key file.  Raise ConfigError, ``FILE:LINE: field: what is wrong; what to do``, and
    OSError where there is none to read.

    ``tenants`` are those of the policy, ``listed`` its own principals, ``most`` the bound on keys.
    """
    own = Own({tenant: tenant for tenant in tenants}, frozenset(listed))
    keys: dict[bytes, IssuedKey] = {}
    ids: set[str] = set()
    digest = hashlib.sha256()
    for piece in read_pieces(path):
        if len(keys) + len(piece.keys) > most:
            wrong = f"more than {most} keys"
            raise fault(path, most + 1, wrong, "remove old ones, or raise max_keys")
        digest.update(piece.octets)
        for index, line in enumerate(piece.keys):
            octets = bytes.fromhex(line.hash[: 2 * DIGEST])
            if octets in keys or line.id in ids:
                raise _repeated(path, piece.first + index, line)
            ids.add(line.id)
            owner = _owner(path, piece.first + index, line, own)
            keys[octets] = IssuedKey(line.id, owner, _until(line))
    return Keyring(keys, digest.digest())


def _owner(path: Path, number: int, line: KeyLine, own: Own) -> str:
    """The policy's own string, which all keys of a tenant share."""
    owner = own.tenants.get(line.tenant)
    if owner is None:
        wrong = f"tenant: there is no tenant {shown(line.tenant)}"
        raise fault(path, number, wrong, instead(line.tenant, own.tenants))
    if f"key:{line.hash}" in own.listed:
        wrong = "hash: also listed in the policy, as a tenant's principal"
        raise fault(path, number, wrong, "remove one: a key has one owner")
    return owner


def _until(line: KeyLine) -> float:
    """Seconds of wall time; one that was revoked never proves anything again."""
    if line.revoked is not None:
        return -math.inf
    return line.expires.timestamp() if line.expires is not None else math.inf


def _repeated(path: Path, number: int, line: KeyLine) -> ConfigError:
    """Which was first is read once more: a million numbers of lines are not kept for this."""
    for piece in read_pieces(path):
        for first, _, other in piece.lines():
            for field in ("id", "hash"):
                if first < number and getattr(other, field) == getattr(line, field):
                    wrong = f"{field}: repeated, first on line {first}"
                    return fault(path, number, wrong, "remove one of the two")
    return fault(path, number, "a key that stands in the file before", "remove one of the two")

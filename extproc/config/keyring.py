"""The keys of a file, ready to be looked up.

Rules: a key has one line, one owner that the policy knows, and stands nowhere else.  It takes as
little memory as it can: sixteen octets of the keyed hash, and one object that names its tenant by
the policy's own string.
"""

import hashlib
import math
from collections.abc import Collection, Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from extproc.config.diagnosis import shown
from extproc.config.document import fault
from extproc.config.expectation import instead
from extproc.config.key_file import KeyLine, read_pieces
from extproc.credentials.api_key import DIGEST, IssuedKey, IssuedKeys
from extproc.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of one file."""

    keys: IssuedKeys
    version: bytes
    """A digest of all that the file says of them."""


MAKE_ONE: Final = "make a key with: extproc keys new --tenant NAME"
"""What to do where there is no key file yet."""
EMPTY: Final = Keyring(IssuedKeys(), b"")


def load_keyring(path: Path, tenants: Iterable[str], listed: Iterable[str], most: int) -> Keyring:
    """Read a key file.  Raise ConfigError, ``FILE:LINE: field: what is wrong; what to do``, and
    OSError where there is none to read.

    ``tenants`` are those of the policy, ``listed`` its own principals, ``most`` the bound on keys.
    """
    owners = {tenant: tenant for tenant in tenants}
    hashes = {principal.removeprefix("key:") for principal in listed}
    keys = IssuedKeys()
    ids = tuple(set[str]() for _ in range(256))  # small ones, as there
    count = 0
    version = hashlib.sha256()
    for piece in read_pieces(path):
        count += len(piece.keys)
        if count > most:
            wrong = f"more than {most} keys"
            raise fault(path, most + 1, wrong, "remove old ones, or raise max_keys")
        version.update(piece.octets)
        for index, line in enumerate(piece.keys):
            owner, alike = owners.get(line.tenant), ids[hash(line.id) % 256]
            key = IssuedKey(line.id, owner or "", _until(line))
            new = keys.add(bytes.fromhex(line.hash[: 2 * DIGEST]), key) and line.id not in alike
            if owner is None or not new or line.hash in hashes:
                raise _mistake(path, piece.first + index, line, owners, hashes)
            alike.add(line.id)
    return Keyring(keys, version.digest())


def ends(path: Path, most: int) -> Iterator[tuple[bytes, float]]:
    """The keys of a file, at most so many of its lines, that were revoked or expire: by what they
    are looked up, and from when on they prove nothing.

    Raise as ``load_keyring``, but for what a policy has to say of them.
    """
    left = most
    for piece in read_pieces(path):
        for line in piece.keys[: max(0, left)]:
            if line.revoked is not None or line.expires is not None:
                yield bytes.fromhex(line.hash[: 2 * DIGEST]), _until(line)
        left -= len(piece.keys)


def _mistake(
    path: Path, number: int, line: KeyLine, tenants: Collection[str], listed: Container[str]
) -> ConfigError:
    if line.tenant not in tenants:
        wrong = f"tenant: there is no tenant {shown(line.tenant)}"
        return fault(path, number, wrong, instead(line.tenant, tenants))
    if line.hash in listed:
        wrong = "hash: listed in the policy too, among a tenant's principals"
        return fault(path, number, wrong, "remove one of the two: a key has one owner")
    return _repeated(path, number, line)


def _until(line: KeyLine) -> float:
    """Seconds of wall time; one that was revoked never proves anything again."""
    if line.revoked is not None:
        return -math.inf
    return line.expires.timestamp() if line.expires is not None else math.inf


def _repeated(path: Path, number: int, line: KeyLine) -> ConfigError:
    """Which was first is read once more: a million numbers of lines are not kept for this."""
    for piece in read_pieces(path):
        for first, _, other in piece.lines():
            field = "id" if other.id == line.id else "hash"
            if first < number and getattr(other, field) == getattr(line, field):
                wrong = f"{field}: repeated, first on line {first}"
                return fault(path, number, wrong, "remove one of the two")
    return fault(path, number, "a key that stands before it too", "remove one of the two")

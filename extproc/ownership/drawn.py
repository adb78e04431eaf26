"""Whether what is called a mark was drawn to be one, by the gateway's secret, and not chosen.

Rule: whoever knows a model before the marks are made could call marks what it gets wrong.  With the
secret each stamp is drawn anew, by what the sidecar draws with; an entry of which another comes out
is as good as missing.  (One could still try many secrets: each doubling of how many were tried is
worth one bit at most.)
"""

import hmac
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from extproc.canonical import at_once
from extproc.config.marks import Marker
from extproc.draw import Draw
from extproc.errors import ClientError, ConfigError
from extproc.marks.entry import Entry
from extproc.marks.marking import Marks
from extproc.marks.stamps import name
from extproc.mutators import Mark
from extproc.ownership.vault_file import Opened

HIGHEST: Final = Mark(rate=0.005)
"""What is a mark or a control at any rate is the same at this one: see stamps.stamp."""


def read_secret(path: Path) -> bytes:
    """The file of ``keys.hmac``.  Raise ConfigError where it cannot be read."""
    try:
        return path.read_bytes().removesuffix(b"\n").removesuffix(b"\r")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name the file of keys.hmac") from error


def drawn(opened: Opened, secret: bytes) -> Opened:
    """With those entries alone that this secret draws as they say."""

    @cache
    def marks(epoch: int, tenant: str, cohort: str) -> Marks:
        root = Draw(hmac.digest(secret, b"draw", "sha256")).child(str(epoch).encode())
        return Marker(root).of(tenant, cohort)(HIGHEST)

    kept = {
        commitment: entry
        for commitment, entry in opened.entries.items()
        if _as_it_says(
            entry, marks(entry.epoch, "" if entry.cohort else entry.tenant, entry.cohort)
        )
    }
    return Opened(kept, opened.unopened, len(opened.entries) - len(kept))


def _as_it_says(entry: Entry, marks: Marks) -> bool:
    value = msgspec.json.decode(bytes(entry.input))
    try:
        found = at_once(marks.marking(entry.model, [value])).stamped.get(0)
    except ClientError:
        return False
    return found is not None and (found.stamp, name(found.cell)) == (entry.stamp, entry.cell)

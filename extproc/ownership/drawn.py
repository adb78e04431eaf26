"""Whether what is called a mark was drawn to be one, by the gateway's secret, and not chosen.

Rule: whoever knows a model before marks are made could call marks what it gets wrong, and choose a
list that fits its texts.  With the secret each stamp and each key is drawn anew, by what the
sidecar draws with; an entry of which another comes out is as good as missing.  (One could still try
many secrets: each doubling of how many were tried is worth one bit at most.)  It says nothing of
which inputs were asked: who has the secret and a model can ask his own gateway, of cells that are
marked, what that one gets wrong.
"""

from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from extproc.canonical import at_once
from extproc.config.marks import Marker
from extproc.config.policies import draw_root
from extproc.config.texts import EXACT, canary_key, list_key, processor_key
from extproc.draw import Draw
from extproc.errors import ClientError, ConfigError, Malformed
from extproc.marks.canaries import of_model, references
from extproc.marks.entry import Entry
from extproc.marks.marking import Marks
from extproc.marks.positions import secret
from extproc.marks.stamps import name
from extproc.marks.vocabulary import read
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


def drawn(opened: Opened, root: bytes) -> Opened:
    """With those entries alone that this secret draws as they say."""

    @cache
    def marker(epoch: int) -> Marker:
        return Marker(draw_root(root, epoch))

    kept = {
        commitment: entry
        for commitment, entry in opened.entries.items()
        if _as_it_says(entry, marker(entry.epoch))
    }
    return Opened(kept, opened.unopened, len(opened.entries) - len(kept))


def _as_it_says(entry: Entry, marker: Marker) -> bool:
    key = marker.key(entry.tenant, entry.cohort)
    match entry.stamp:
        case "green_list":
            return _is_key_of(entry, key)
        case "canary":
            return entry.other in references(of_model(canary_key(key), entry.model))
        case "processor":
            return entry.other == str(processor_key(key).below(EXACT))
        case "embedding":  # of which its cell follows: see evidence.py
            own = secret(key.child(b"model " + entry.model.encode()))
            return entry.moved is not None and own.key.hex() == entry.moved.key
        case _:
            return _is_stamped_so(entry, marker.of(entry.tenant, entry.cohort)(HIGHEST))


def _is_key_of(entry: Entry, key: Draw) -> bool:
    """Whether it is that of its list."""
    try:
        return entry.other == list_key(key, read(bytes(entry.input))).key.hex()
    except Malformed:
        return False


def _is_stamped_so(entry: Entry, marks: Marks) -> bool:
    value = msgspec.json.decode(bytes(entry.input))
    try:
        found = at_once(marks.marking(entry.model, [value])).stamped.get(0)
    except ClientError:
        return False
    return found is not None and (found.stamp, name(found.cell)) == (entry.stamp, entry.cell)

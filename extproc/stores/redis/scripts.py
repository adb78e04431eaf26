"""The scripts that run in the store, each with the arithmetic that they share before it."""

import hashlib
from functools import cache
from importlib import resources
from typing import Final

from msgspec import Struct

NAMES: Final = ("take", "settle", "restore", "freeze", "grant", "first", "share", "memo")
_SHARED: Final = ("states", "groups")


class Script(Struct, frozen=True):
    text: str
    sha: str
    """By which the store knows it once it has seen it (EVALSHA)."""


@cache
def script(name: str) -> Script:
    folder = resources.files(__package__) / "lua"
    text = "\n".join((folder / f"{part}.lua").read_text("utf-8") for part in (*_SHARED, name))
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())

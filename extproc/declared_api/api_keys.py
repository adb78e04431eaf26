"""API keys, from the places that a file says they are at: ``env:NAME``, or ``file:PATH`` beside it.

Rule: no error tells what was there.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path


def keys(path: Path, places: Sequence[str], environ: Mapping[str, str] = os.environ) -> list[str]:
    """The API keys that the file at ``path`` says the places of; a file may hold several, a line
    each.  Raise ValueError where there is none.
    """
    return [key for at, place in enumerate(places) for key in _keys(path, at, place, environ)]


def _keys(path: Path, at: int, place: str, environ: Mapping[str, str]) -> list[str]:
    kind, _, name = place.partition(":")
    match kind:
        case "env" if environ.get(name):
            return [environ[name]]
        case "env":
            raise ValueError(f"{path}: keys[{at}]: the environment has no {name}")
        case "file":
            return _lines(path, at, path.parent / name)
        case _:
            raise ValueError(
                f"{path}: keys[{at}]: write env:NAME or file:PATH: who reads this file would have "
                "the key"
            )


def _lines(path: Path, at: int, file: Path) -> list[str]:
    try:
        found = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: keys[{at}]: {file} cannot be read") from error
    keys = [line for line in found if line]
    if not keys:
        raise ValueError(f"{path}: keys[{at}]: {file} holds no key")
    return keys

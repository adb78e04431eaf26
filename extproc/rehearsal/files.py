"""Files that a command or a file of cases names."""

from pathlib import Path
from typing import Final

from extproc.config.document import Document, Place
from extproc.errors import ConfigError

MOST: Final = 64 << 20
"""Bytes of a body that is read."""


def contents(document: Document, place: Place, name: str) -> bytes:
    """What a file holds, from the folder of the file that names it."""
    path = document.folder(place) / name
    try:
        return _read(path)
    except OSError as error:
        wrong = f"{path} cannot be read ({error.strerror})"
        raise document.fault(place, wrong, "name a file with the body") from error


def named(path: Path) -> bytes:
    """What a file holds that a command names."""
    try:
        return _read(path)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name a file to read") from error


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST)

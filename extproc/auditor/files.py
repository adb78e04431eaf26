"""The files of an audit log, in the order in which they were written."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from extproc.audit.chain import read
from extproc.audit.signature import name, public_key
from extproc.errors import ConfigError, Malformed

LONGEST: Final = 1 << 20
"""Bytes of a line; what is longer is none."""


def in_order(paths: Sequence[Path]) -> list[Path]:
    """Each file once, by the number of its first line.  Raise ConfigError where one is missing."""
    known = {path.resolve(): path for path in paths}
    return sorted(known.values(), key=_first)


def lines(path: Path) -> Iterator[bytes]:
    """With their line breaks; those that are too long in pieces."""
    with path.open("rb") as log:
        while line := log.readline(LONGEST):
            yield line


def public_keys(paths: Sequence[Path]) -> dict[str, Ed25519PublicKey]:
    """By name.  Raise ConfigError where one cannot be read, or is no key."""
    keys = {}
    for path in paths:
        try:
            key = public_key(path.read_bytes())
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}; name the key that verifies") from error
        except Malformed as error:
            raise ConfigError(f"{path}: {error}; name an Ed25519 key in PEM") from error
        keys[name(key)] = key
    return keys


def _first(path: Path) -> tuple[bool, int, str]:
    """Files without a readable first line come last."""
    try:
        first = next(lines(path), b"")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name files of an audit log") from error
    line = read(first)
    return (line is None, line.said.n if line is not None else 0, path.name)

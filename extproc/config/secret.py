"""Secrets that the policy file refers to.

Rule: no message holds any of a secret's content; how long it is may be told.
"""

from collections.abc import Mapping
from typing import Final

from extproc.config import files
from extproc.config.document import Document, Place

MIN_BYTES: Final = 32
MAX_BYTES: Final = 4096
_MAKE: Final = "make one with: openssl rand -hex 32"


def resolve(
    document: Document,
    place: Place,
    reference: str,
    environ: Mapping[str, str],
    least: int = MIN_BYTES,
    remedy: str = _MAKE,
) -> bytes:
    """The secret behind a SecretReference; a line break at its end is not part of it.

    Raise ConfigError where it is missing or its length is out of bounds: only of one that others
    made may ``least`` be another.  A relative path starts at the policy file's folder.
    """
    scheme, _, name = reference.partition(":")
    if scheme == "env":
        if name not in environ:
            raise document.fault(place, f"the variable {name} is not set", "set it")
        raw = environ[name].encode(errors="surrogateescape")
    else:
        raw = _content(document, place, name, remedy)
    secret = raw.removesuffix(b"\n").removesuffix(b"\r")
    if not least <= len(secret) <= MAX_BYTES:
        size = f"{len(secret)}" if len(secret) <= MAX_BYTES else f"more than {MAX_BYTES}"
        wrong = f"the secret has {size} bytes, and needs {least} to {MAX_BYTES}"
        raise document.fault(place, wrong, remedy)
    return secret


def _content(document: Document, place: Place, name: str, remedy: str) -> bytes:
    path = document.folder(place) / name
    try:
        return document.files.read(path, MAX_BYTES + len(b"\r\n"))
    except OSError as error:
        wrong = f"{path} cannot be read ({error.strerror})"
        raise document.fault(place, wrong, files.remedy(error, remedy)) from error

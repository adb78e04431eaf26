"""The public keys of an issuer that stand in a file.

Rule: a file is read before anything is served by it; a URL is not, since its server may be down
while we start: see server/jwks.py.
"""

from collections.abc import Collection
from pathlib import Path

from extproc.config.document import Document
from extproc.credentials import Jwt, Jwts
from extproc.credentials.keyring import MAX_BYTES
from extproc.errors import Malformed
from extproc.units import seconds


def jwts(
    document: Document, name: str, settings: Jwt, hmac_key: bytes, tenants: Collection[str]
) -> Jwts:
    """Raise ConfigError where the file cannot be read or has no key of use."""
    if seconds(settings.stale) < seconds(settings.refresh):
        place, wrong = ("credentials", name, "stale"), "shorter than refresh"
        raise document.fault(place, wrong, "raise it, or lower refresh")
    place = ("credentials", name, "jwks")
    source, remedy = settings.jwks, "write the issuer's JWK Set there"
    if not source.startswith("file:"):
        return Jwts(settings, hmac_key, tenants, source)
    path = document.folder(place) / source.removeprefix("file:")
    from extproc.credentials.key_set import key_set  # noqa: PLC0415 - for policies with tokens

    made = Jwts(settings, hmac_key, tenants, f"file:{path}")
    try:
        made.keyring.renew(
            key_set(document.files.read(path, MAX_BYTES), settings.algorithms), float("inf")
        )
    except OSError as error:
        raise document.fault(place, f"{path} cannot be read ({error.strerror})", remedy) from error
    except Malformed as error:
        raise document.fault(place, f"{path} cannot be used: {error}", remedy) from error
    return made


def read(path: Path) -> bytes:
    """What a file holds, up to a byte more than a JWK Set may have.  Raise OSError."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)

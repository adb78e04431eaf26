"""Whom alerts are sent to.

Rule: what they are signed under, and whom a receiver's certificate must be of, is read here, once;
a URL may be a secret: nothing but its host is ever told.
"""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from extproc.config.detection_settings import AlertSettings
from extproc.config.document import Document, Place
from extproc.config.secret import resolve
from extproc.config.webhook_secret import secrets
from extproc.errors import Malformed

LARGEST: Final = 4 << 20
"""Bytes of a file of authorities: those of a system are some hundred thousand."""
_HERE: Final = ("127.0.0.1", "::1", "localhost")
_MAKE: Final = 'make one with: echo "whsec_$(openssl rand -base64 32)"'
_PEM: Final = "name a file, in PEM, of the authorities that its certificate is of"


@dataclass(frozen=True, slots=True)
class Receiver:
    """A webhook; see detection_settings.AlertSettings."""

    url: str = field(repr=False)
    keys: tuple[bytes, ...] = field(repr=False)
    """Of the signatures: one, or while it is replaced two."""
    authorities: str = field(default="", repr=False, compare=False)
    """Their certificates, in PEM, as they were when they were read; empty for the system's."""

    @property
    def host(self) -> str:
        """All that is told of it."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port}" if parts.port else f"{parts.hostname}"

    @property
    def private(self) -> bool:
        """Whether nobody reads on the way what it is sent."""
        parts = urlsplit(self.url)
        return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE)

    def trusted(self) -> ssl.SSLContext:
        """Who its certificate may be of.  Raise ValueError, or SSLError, where nobody could be."""
        return ssl.create_default_context(cadata=self.authorities or None)


def compile_receivers(
    document: Document, alerts: Sequence[AlertSettings], environ: Mapping[str, str]
) -> tuple[Receiver, ...]:
    """Raise ConfigError where one could not be told."""
    places = [("detection", "alerts", index) for index in range(len(alerts))]
    return tuple(_receiver(document, *each, environ) for each in zip(places, alerts, strict=True))


def _receiver(
    document: Document, place: Place, settings: AlertSettings, environ: Mapping[str, str]
) -> Receiver:
    secret = (*place, "secret")
    content = resolve(document, secret, settings.secret, environ, remedy=_MAKE)
    try:
        keys = secrets(content)
    except Malformed as error:
        raise document.fault(secret, f"it is {error}", _MAKE) from None
    if settings.ca is None:
        return Receiver(settings.url, keys)
    return Receiver(settings.url, keys, _authorities(document, (*place, "ca"), settings.ca))


def _authorities(document: Document, place: Place, name: str) -> str:
    path = document.folder(place) / name
    try:
        content = document.files.read(path, LARGEST)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no path"
        raise document.fault(place, f"{path} cannot be read ({why})", _PEM) from error
    if len(content) > LARGEST:
        raise document.fault(place, f"{path} is larger than {LARGEST >> 20} MiB", _PEM)
    found = content.decode("ascii", errors="ignore")  # names in comments may be of any letters
    if not _readable(found):
        raise document.fault(place, f"{path} holds no certificates that can be read", _PEM)
    return found


def _readable(authorities: str) -> bool:
    try:
        trusted = Receiver("", (), authorities).trusted()
    except (ssl.SSLError, ValueError):
        return False
    # Nothing at all stands for the system's; and of lists of what was revoked none is trusted.
    return bool(authorities) and trusted.cert_store_stats()["x509"] > 0

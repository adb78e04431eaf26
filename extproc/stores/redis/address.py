"""Where a Redis is, and who we are to it: what its URL says.

Rule: no error and no text that is shown holds any of a URL, since a password may stand in it.
"""

from typing import Final
from urllib.parse import unquote, urlsplit

from msgspec import Struct

Host = tuple[str, int]
"""A name or address, and a port; of a Unix socket its path, and 0."""

SCHEMES: Final = ("redis", "rediss", "valkey", "valkeys", "unix")
_PORT: Final = 6379


class Address(Struct, frozen=True):
    """``redis://[USER[:PASSWORD]@]HOST[:PORT][,HOST...][/DATABASE]``, ``rediss://`` by TLS, or
    ``unix:///PATH[?db=DATABASE]``.
    """

    hosts: tuple[Host, ...]
    user: str = ""
    password: str = ""
    database: int = 0
    tls: bool = False

    def __repr__(self) -> str:
        return f"Address(of {len(self.hosts)} hosts)"


def address(url: str) -> Address:
    """Raise ValueError, whose message holds nothing of the URL, where it is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("it is no URL") from None
    if parts.scheme not in SCHEMES:
        raise ValueError(f"it begins with none of {', '.join(f'{s}://' for s in SCHEMES)}")
    login, _, place = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    if parts.scheme == "unix":
        hosts: tuple[Host, ...] = ((unquote(parts.path), 0),)
        database = _number(parts.query.removeprefix("db="), "database")
    else:
        hosts = tuple(_host(text) for text in place.split(","))
        database = _number(parts.path.strip("/"), "database")
    tls = parts.scheme in {"rediss", "valkeys"}
    return Address(hosts, unquote(user), unquote(password), database, tls)


def _host(text: str) -> Host:
    if text.startswith("["):
        name, _, port = text[1:].partition("]")
    else:
        name, _, port = text.partition(":")
    if not name:
        raise ValueError("it names no host")
    return name, _number(port.removeprefix(":"), "port", _PORT, 65_535)


def _number(text: str, what: str, default: int = 0, most: int = 1_000_000) -> int:
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text[:9]) > most:
        raise ValueError(f"its {what} is no number, or too large")
    return int(text[:9])

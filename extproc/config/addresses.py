"""Where the sidecar listens.  Rule: only where it was told to, once."""

from ipaddress import ip_address
from typing import Final

from extproc.config.document import Document
from extproc.config.settings import Settings

_LONGEST_SOCKET_PATH: Final = 107
"""Of sun_path (unix(7)) less its final NUL."""


def check_addresses(document: Document, settings: Settings) -> None:
    """Raise ConfigError where an address cannot be bound, or two are the same."""
    used: dict[str, str] = {}
    for name in ("listen", "health", "admin", "control"):
        address: str | None = getattr(settings, name)
        if address is None:
            continue
        _check(document, name, address)
        if address in used:
            raise document.fault((name,), f"also the address of {used[address]}", "choose another")
        used[address] = name


def _check(document: Document, name: str, address: str) -> None:
    if address.startswith("unix://"):
        if len(address.removeprefix("unix://").encode()) > _LONGEST_SOCKET_PATH:
            wrong = f"longer than the {_LONGEST_SOCKET_PATH} bytes a socket's path may have"
            raise document.fault((name,), wrong, "choose a folder nearer to the root")
        return
    host, _, port = address.rpartition(":")
    if not _is_ip(host.strip("[]")) and host != "localhost":
        raise document.fault((name,), "not an IP address", "write one such as 127.0.0.1 or [::1]")
    if int(port) > 65_535:
        raise document.fault((name,), "no such port", "write one from 1 to 65535")


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True

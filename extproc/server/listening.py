"""Where the sidecar's gRPC servers listen.

Rule: an address is tried with a socket of our own first: why grpc cannot have it, it tells in its
own log alone.
"""

import errno
import os
import socket
from pathlib import Path
from typing import Any, Final

import grpc

from extproc.errors import ConfigError
from extproc.server import unix_socket

_REMEDIES: Final = {
    errno.EADDRINUSE: "stop what listens there, or write another",
    errno.EADDRNOTAVAIL: "write an address of this machine",
    errno.EACCES: "write a port above 1023",
}


def listen(server: grpc.aio.Server, setting: str, address: str) -> None:
    """``setting`` is what names the address, as in ``unix:///run/e.sock`` and ``0.0.0.0:9101``.

    Raise ConfigError where it cannot be used.
    """
    if address.startswith("unix://"):
        path = Path(address.removeprefix("unix://"))
        unix_socket.clear(path, setting)
        with unix_socket.mode_of_new_sockets():
            _try_path(path, setting)
            _add(server, setting, f"unix:{path}")
        return
    try:
        _try_port(address)
    except OSError as error:
        raise unusable(setting, address, error) from error
    _add(server, setting, address)


def unusable(setting: str, address: str, error: OSError) -> ConfigError:
    """What is told of a host and port that cannot be listened on."""
    # socketserver and asyncio say more in strerror than the errno is called.
    why = os.strerror(error.errno) if error.errno else str(error)
    remedy = _REMEDIES.get(error.errno or 0, "write another")
    return ConfigError(f"{setting}: cannot listen on {address} ({why}); {remedy}")


def _try_port(address: str) -> None:
    host, _, port = address.rpartition(":")
    family: Any = socket.AF_INET6 if "]" in host else socket.AF_INET
    with socket.socket(family) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tried.bind((host.strip("[]"), int(port)))
        tried.listen()  # where another one listens bind alone may succeed


def _try_path(path: Path, setting: str) -> None:
    with socket.socket(socket.AF_UNIX) as tried:
        try:
            tried.bind(str(path))
        except OSError as error:
            raise unix_socket.unusable(path, setting, "cannot be made", error) from error
    path.unlink()


def _add(server: grpc.aio.Server, setting: str, address: str) -> None:
    try:
        server.add_insecure_port(address)
    except RuntimeError as error:  # somebody was quicker
        raise ConfigError(f"{setting}: cannot listen on {address}; is it in use?") from error

"""The Unix socket that Envoy connects to.

Rule: mode 0660 from its first moment, and never somebody else's file: only a stale socket, one
that nobody listens on, is replaced.
"""

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from extproc.errors import ConfigError

MODE = 0o660


def clear(path: Path) -> None:
    """Remove a stale socket.  Raise ConfigError where the path is anything else."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        _require_folder(path)
        return
    if not stat.S_ISSOCK(mode):
        raise ConfigError(f"listen: {path} exists and is not a socket; remove it or choose another")
    if _answers(path):
        raise ConfigError(f"listen: another process listens on {path}; stop it or choose another")
    path.unlink()


@contextmanager
def mode_of_new_sockets() -> Iterator[None]:
    """Sockets bound inside are 0660 from the start, not a moment later."""
    before = os.umask(0o777 & ~MODE)
    try:
        yield
    finally:
        os.umask(before)


def _require_folder(path: Path) -> None:
    if not path.parent.is_dir():
        raise ConfigError(f"listen: the folder {path.parent} does not exist; create it")


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
